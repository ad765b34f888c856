//! What a daemon tells whoever started it.

/// placeholder
#[derive(Debug, Clone)]
pub struct Startup;
impl Startup {
    /// Tells nobody.
    pub fn silent() -> Self {
        Startup
    }
}
