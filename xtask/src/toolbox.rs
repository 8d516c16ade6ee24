//! The programs that the host lacks.
