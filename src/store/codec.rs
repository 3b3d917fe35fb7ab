//! How bodies and blocks lie in their columns: as they are, or packed by zstd, mostly with the integration's dictionary.

use std::fmt;
use zstd::zstd_safe::{self, CCtx, CDict, DCtx, DDict};

/// The coding of bytes that are stored as they are.
pub const PLAIN: i64 = 0;
/// The coding of bytes that zstd packed without a dictionary; larger ones are the numbers of dictionaries.
pub const PACKED: i64 = 1;
/// The first number of a dictionary.
pub const FIRST_DICTIONARY: i64 = 16;

/// Half the bytes at hundreds of MB/s; higher levels cost more than they save on bodies of a few KiB.
const LEVEL: i32 = 1;
/// Below this compression does not pay for its frame, bytes.
const PLAIN_BYTES_MAX: usize = 48;
/// zstd cannot pack more than this ratio, so a larger claim is damage.
const RATIO_MAX: usize = 50_000;

/// A dictionary, made ready for packing once.
pub struct Dictionary {
    /// Its row, and the coding of what it packs.
    pub id: i64,
    ready: CDict<'static>,
    bytes: Box<[u8]>,
}

impl Dictionary {
    /// Makes the bytes of a row ready; none where zstd refuses them.
    pub fn new(id: i64, bytes: &[u8]) -> Option<Self> {
        CDict::try_create(bytes, LEVEL).map(|ready| Self { id, ready, bytes: bytes.into() })
    }

    /// Made ready for reading.
    pub fn unpacking(&self) -> Option<Unpacking> {
        Unpacking::new(&self.bytes)
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dictionary({})", self.id)
    }
}

/// Coding and bytes, as stored.
pub type Packed = (i64, Box<[u8]>);

/// Packs one thing after the other: making zstd's context ready costs more than packing a few KiB with it.
pub struct Packer {
    context: CCtx<'static>,
    out: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self { context: CCtx::create(), out: Vec::new() }
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}

impl Packer {
    /// The coding and the bytes as stored: packed or plain, whichever is smaller.
    pub fn pack(&mut self, plain: &[u8], dictionary: Option<&Dictionary>) -> Packed {
        if plain.len() > PLAIN_BYTES_MAX {
            self.out.clear();
            self.out.reserve(zstd_safe::compress_bound(plain.len()));
            let packed = match dictionary {
                Some(with) => self.context.compress_using_cdict(&mut self.out, plain, &with.ready),
                None => self.context.compress(&mut self.out, plain, LEVEL),
            };
            // An error can only be a lack of room or memory: then the bytes lie there as they are.
            if packed.is_ok() && self.out.len() < plain.len() {
                return (dictionary.map_or(PACKED, |with| with.id), self.out.as_slice().into());
            }
        }
        (PLAIN, plain.into())
    }
}

/// A dictionary, made ready for reading once.
pub struct Unpacking(DDict<'static>);

impl Unpacking {
    /// Makes the bytes of a row ready; none where zstd refuses them.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        DDict::try_create(bytes).map(Self)
    }
}

impl fmt::Debug for Unpacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unpacking")
    }
}

/// The plain bytes of a stored row that says they are `size` bytes, or at most `size` where `exactly` is false.
///
/// # Errors
/// What is wrong with the row. A damaged one cannot make this allocate more than it could truly hold.
pub fn unpack(coding: i64, size: Size, bytes: Vec<u8>, dictionary: Option<&Unpacking>) -> Result<Vec<u8>, String> {
    if coding == PLAIN {
        return if size.allows(bytes.len() as u64) { Ok(bytes) } else { Err("its size is another".to_owned()) };
    }
    let stated = zstd_safe::get_frame_content_size(&bytes).ok().flatten().ok_or("its frame states no size")?;
    let room = usize::try_from(stated).ok().filter(|room| room / RATIO_MAX <= bytes.len() && size.allows(stated));
    let room = room.ok_or("its frame states another size than its row, or an impossible one")?;
    let mut plain = Vec::with_capacity(room);
    let mut context = DCtx::create();
    let done = match dictionary {
        Some(Unpacking(with)) => context.decompress_using_ddict(&mut plain, &bytes, with),
        None if coding == PACKED => context.decompress(&mut plain, &bytes),
        None => return Err(format!("its dictionary {coding} is gone")),
    };
    done.map_err(|code| zstd_safe::get_error_name(code).to_owned())?;
    if plain.len() == room { Ok(plain) } else { Err("its frame states another size than it holds".to_owned()) }
}

/// What is known of the plain size, bytes.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// The row says so.
    Exactly(i64),
    /// Nothing of this kind is larger.
    AtMost(u64),
}

impl Size {
    fn allows(self, bytes: u64) -> bool {
        match self {
            Self::Exactly(size) => u64::try_from(size) == Ok(bytes),
            Self::AtMost(most) => bytes <= most,
        }
    }
}
