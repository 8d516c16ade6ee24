//! Seeded randomness for the bootstrap and the simulation: ChaCha8, uniform, normal, index.
//!
//! Not here: the order of a run (`plan`). Streams keep independent uses of one seed apart.

use std::f64::consts::TAU;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers that depends on seed and stream number alone.
#[derive(Clone, Debug)]
pub struct Random {
    rng: ChaCha8Rng,
    spare: Option<f64>,
}

/// Which of a seed's independent sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream(pub u64);

impl Random {
    /// The numbers of this stream of this seed.
    pub fn new(seed: u64, stream: Stream) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream.0);
        Self { rng, spare: None }
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.rng.random()
    }

    /// Uniform among `0..n`; 0 when n is 0.
    pub fn index(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { self.rng.random_range(0..n) }
    }

    /// Standard normal, by Box and Muller, Annals of Mathematical Statistics 29 (1958).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 − u lies in (0, 1]: its logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Samples;

    #[test]
    fn the_same_seed_and_stream_give_the_same_numbers() {
        let draw = |seed, stream| Random::new(seed, Stream(stream)).normal().to_bits();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn normals_have_mean_0_and_deviation_1() {
        let mut random = Random::new(7, Stream(0));
        let values = Samples::new((0..20_000).map(|_| random.normal()).collect()).unwrap();
        assert!(values.mean().abs() < 0.03 && (values.stddev().unwrap() - 1.0).abs() < 0.03);
        // MAD of a standard normal is Φ⁻¹(0.75).
        assert!((values.mad() - 0.6745).abs() < 0.02);
    }
}
