//! In which order payments are paid.

/// Every other one of `things` as they lie, and the rest in no order: what lies
/// side by side in the database shares its pages, and what does not, does not.
pub(super) fn halves<T>(things: Vec<T>) -> (Vec<T>, Vec<T>) {
    let (mut in_order, mut in_no_order) = (Vec::new(), Vec::new());
    for (place, thing) in things.into_iter().enumerate() {
        if place % 2 == 0 {
            in_order.push(thing);
        } else {
            in_no_order.push(thing);
        }
    }
    shuffle(&mut in_no_order);
    (in_order, in_no_order)
}

/// The same way every time.
fn shuffle<T>(things: &mut [T]) {
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    for last in (1..things.len()).rev() {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let places = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        let place = usize::try_from((random >> 16) % places).unwrap_or(last);
        things.swap(last, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_half_keeps_its_order_and_the_other_loses_it() {
        let (in_order, mut in_no_order) = halves((0..1_001).collect());
        assert!(in_order.is_sorted() && in_order.len() == 501);
        let neighbours = in_no_order.windows(2).filter(|two| two[1] == two[0] + 2);
        assert!(neighbours.count() < 10);
        in_no_order.sort_unstable();
        assert!(in_no_order.into_iter().eq((1..1_001).step_by(2)));
    }
}
