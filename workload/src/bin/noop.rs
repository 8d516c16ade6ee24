//! Does nothing: what is left is the cost of starting it.

fn main() {}
