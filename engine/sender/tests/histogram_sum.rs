//! Adding histograms up from their bytes gives what the histogram library says of them.

use base64::prelude::{Engine as _, BASE64_STANDARD};
use golive_sender::HistogramSum;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use hdrhistogram::Histogram;
use proptest::prelude::*;

fn histogram(times_us: &[u64]) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds");
    for &time_us in times_us {
        histogram.record(time_us).expect("within bounds");
    }
    histogram
}

fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut bytes).expect("serialises");
    BASE64_STANDARD.encode(bytes)
}

proptest! {
    #[test]
    fn a_sum_of_histograms_is_the_histogram_of_all(
        first in prop::collection::vec(1_u64..60_000_000, 0..300),
        second in prop::collection::vec(1_u64..3_000, 0..300),
        bounds in prop::collection::btree_set(1_u64..60_000_000, 0..6),
    ) {
        let bounds_us: Vec<u64> = bounds.into_iter().collect();
        let mut sum = HistogramSum::default();
        for times_us in [&first, &second] {
            sum.add(&encoded(&histogram(times_us))).expect("a histogram");
        }
        let all = histogram(&[first.clone(), second.clone()].concat());
        let times = sum.times(&bounds_us);
        prop_assert_eq!(times.count, all.len());
        prop_assert_eq!(times.by_rounded_ms.values().sum::<u64>(), all.len());
        if !all.is_empty() {
            prop_assert_eq!((times.min_ms * 1e3).round() as u64, all.min());
            prop_assert_eq!((times.max_ms * 1e3).round() as u64, all.max());
        }
        let mean_us = times.total_ms * 1e3 / all.len().max(1) as f64;
        prop_assert!((mean_us - all.mean()).abs() <= 0.001 * all.mean() + 1e-6, "{} {}", mean_us, all.mean());
        let mut below = 0;
        for (place, &bound_us) in bounds_us.iter().enumerate() {
            below += times.by_bucket[place];
            let whole = all.iter_recorded().filter(|step| all.highest_equivalent(step.value_iterated_to()) <= bound_us);
            prop_assert_eq!(below, whole.map(|step| step.count_since_last_iteration()).sum::<u64>());
        }
    }

    #[test]
    fn what_is_no_histogram_is_refused_and_never_more(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..400) {
        let _ = HistogramSum::default().add(&BASE64_STANDARD.encode(&bytes));
        let mut damaged = BASE64_STANDARD.decode(encoded(&histogram(&[1, 5_000, 59_000_000]))).expect("base64");
        let place = at % damaged.len();
        damaged[place] ^= bytes.first().copied().unwrap_or(1);
        let _ = HistogramSum::default().add(&BASE64_STANDARD.encode(&damaged));
        damaged.truncate(place);
        prop_assert!(HistogramSum::default().add(&BASE64_STANDARD.encode(&damaged)).is_err());
    }
}

#[test]
fn a_histogram_of_other_digits_is_refused() {
    let mut other = Histogram::<u64>::new_with_bounds(1, 60_000_000, 2).expect("bounds");
    other.record(5).expect("within bounds");
    assert!(HistogramSum::default().add(&encoded(&other)).is_err());
}
