//! The stories: the product as a process, between real sockets.

mod command_line;
mod crash;
mod demo;
mod isolation;
mod readme;
mod start;
mod support;
