//! A run as table, Markdown, HTML and exports. Pure.
