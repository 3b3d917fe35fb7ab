//! Plays a file back with httpmock and says where, until its input ends.

use std::error::Error;
use std::io::Read as _;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: httpmock-playback FILE")?;
    let server = httpmock::MockServer::start();
    let set = server.playback(file);
    println!("{} mocks on http://{}", set.ids.len(), server.address());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
