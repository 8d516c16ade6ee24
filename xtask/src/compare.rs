//! Two runs side by side. Pure.
