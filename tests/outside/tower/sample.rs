// What the packages are built with before there is a review; the story puts a review's settings in its place.
{
    let client = reqwest::Client::builder().timeout(Duration::from_millis(1)).build()?;
    tower::ServiceBuilder::new().concurrency_limit(2).service(client)
}
