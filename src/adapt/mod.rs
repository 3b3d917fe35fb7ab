//! What the shadow needs to be different: address, credentials, headers; and what counts as success.
