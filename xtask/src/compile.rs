//! A plan's builds as artifacts, through Cargo's JSON messages.
