//! The storyboard: build every room, start, wait, close from the left.
