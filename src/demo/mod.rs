//! Sample providers and an application, so that the whole product can be seen on one machine.
