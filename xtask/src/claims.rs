//! Published figures as data. Pure.
