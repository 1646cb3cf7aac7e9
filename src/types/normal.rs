//! The quantile function of the standard normal distribution.

use libm::{log, sqrt};

/// Quantile of the standard normal: the z with P(Z <= z) = p.
///
/// Formula: Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988), three rational approximations;
/// relative error about 1e-16. Logarithm and root from `libm`, so the bytes are the same on every platform.
/// `p` outside (0, 1) gives NaN at once, the ends give infinities.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(
            r,
            &[
                3.387_132_872_796_366_5,
                133.141_667_891_784_38,
                1_971.590_950_306_551_3,
                13_731.693_765_509_46,
                45_921.953_931_549_87,
                67_265.770_927_008_7,
                33_430.575_583_588_13,
                2_509.080_928_730_122_7,
            ],
            &[
                1.0,
                42.313_330_701_600_91,
                687.187_007_492_057_9,
                5_394.196_021_424_751,
                21_213.794_301_586_597,
                39_307.895_800_092_71,
                28_729.085_735_721_943,
                5_226.495_278_852_854,
            ],
        );
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail.is_nan() || tail <= 0.0 {
        return if tail == 0.0 { f64::INFINITY.copysign(q) } else { f64::NAN };
    }
    let r = sqrt(-log(tail));
    let z = if r <= 5.0 {
        ratio(
            r - 1.6,
            &[
                1.423_437_110_749_683_5,
                4.630_337_846_156_545,
                5.769_497_221_460_691,
                3.647_848_324_763_204_5,
                1.270_458_252_452_368_4,
                0.241_780_725_177_450_6,
                0.022_723_844_989_269_184,
                7.745_450_142_783_414e-4,
            ],
            &[
                1.0,
                2.053_191_626_637_759,
                1.676_384_830_183_803_8,
                0.689_767_334_985_1,
                0.148_103_976_427_480_08,
                0.015_198_666_563_616_457,
                5.475_938_084_995_345e-4,
                1.050_750_071_644_416_9e-9,
            ],
        )
    } else {
        ratio(
            r - 5.0,
            &[
                6.657_904_643_501_103,
                5.463_784_911_164_114,
                1.784_826_539_917_291_3,
                0.296_560_571_828_504_87,
                0.026_532_189_526_576_124,
                0.001_242_660_947_388_078_4,
                2.711_555_568_743_487_6e-5,
                2.010_334_399_292_288_1e-7,
            ],
            &[
                1.0,
                0.599_832_206_555_887_9,
                0.136_929_880_922_735_8,
                0.014_875_361_290_850_615,
                7.868_691_311_456_133e-4,
                1.846_318_317_510_054_7e-5,
                1.421_511_758_316_446e-7,
                2.044_263_103_389_939_8e-15,
            ],
        )
    };
    z.copysign(q)
}

/// The ratio of two polynomials of degree seven in `x`, coefficients from the constant term up.
#[inline]
fn ratio(x: f64, numerator: &[f64; 8], denominator: &[f64; 8]) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |acc, &a| acc * x + a);
    horner(numerator) / horner(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_inverts_an_independent_error_function() {
        // libm's erfc, not statrs' cdf: the latter is right to about 5e-12 only.
        let cdf = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
        for i in 1..2000 {
            let p = f64::from(i) / 2000.0;
            assert!((cdf(normal_quantile(p)) - p).abs() < 1e-15, "p = {p}");
        }
        for p in [1e-15, 1e-12, 1e-9, 1e-6, 1e-3] {
            assert!((cdf(normal_quantile(p)) / p - 1.0).abs() < 1e-12, "p = {p}");
        }
    }

    #[test]
    fn published_points_hold() {
        // Wichura 1988, table of test values.
        assert!((normal_quantile(0.25) + 0.674_489_750_196_081_7).abs() < 1e-15);
        assert!((normal_quantile(0.001) + 3.090_232_306_167_813_5).abs() < 1e-14);
        assert!((normal_quantile(1e-20) + 9.262_340_089_798_408).abs() < 1e-13);
        assert!(normal_quantile(1.5).is_nan() && normal_quantile(f64::NAN).is_nan());
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
    }
}
