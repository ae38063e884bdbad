//! Which of a machine's devices a worker takes, where it is not to take all.

use engine::{Compute, device::Device};

/// No device is what was asked for, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--device {wanted}: there is no such device; there are: {}", known.join(", "))]
pub struct NoSuchDevice {
    wanted: String,
    known: Vec<String>,
}

/// Those of `devices` that `wanted` names, each by its number, counted from 0, or by a part of its name; all of them
/// when nothing is wanted.
///
/// # Errors
/// A wish that no device fulfils.
pub fn choose_devices(
    devices: Vec<Device>,
    wanted: &[String],
) -> Result<Vec<Device>, NoSuchDevice> {
    let names: Vec<String> = (devices.iter())
        .map(|device| device.info().name.clone())
        .collect();
    let taken = select(&names, wanted)?;
    let numbered = devices.into_iter().enumerate();
    Ok(numbered
        .filter_map(|(number, device)| taken.contains(&number).then_some(device))
        .collect())
}

/// Numbers of the devices of these names that `wanted` names.
fn select(names: &[String], wanted: &[String]) -> Result<Vec<usize>, NoSuchDevice> {
    if wanted.is_empty() {
        return Ok((0..names.len()).collect());
    }
    let mut taken = Vec::new();
    for wish in wanted {
        let lower = wish.to_lowercase();
        let fits = |(number, name): &(usize, &String)| match wish.parse::<usize>() {
            Ok(wish) => wish == *number,
            Err(_) => name.to_lowercase().contains(&lower),
        };
        let numbers = names.iter().enumerate().filter(fits);
        let before = taken.len();
        taken.extend(numbers.map(|(number, _)| number));
        if taken.len() == before {
            let known = names.iter().enumerate();
            return Err(NoSuchDevice {
                wanted: wish.clone(),
                known: known
                    .map(|(number, name)| format!("{number} ({name})"))
                    .collect(),
            });
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    #[test]
    fn devices_are_named_by_number_or_part_of_their_name() {
        let names = ["GeForce A", "GeForce A", "Arc B"].map(str::to_owned);
        let select = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|&wish| wish.to_owned()).collect();
            super::select(&names, &wanted)
        };
        assert_eq!(select(&[]), Ok(vec![0, 1, 2]));
        assert_eq!(select(&["1"]), Ok(vec![1]));
        assert_eq!(select(&["geforce"]), Ok(vec![0, 1]));
        assert_eq!(select(&["arc", "0"]), Ok(vec![2, 0]));
        for wrong in ["3", "radeon"] {
            let error = select(&["0", wrong]).unwrap_err().to_string();
            assert!(
                error.contains(wrong) && error.contains("2 (Arc B)"),
                "{error}"
            );
        }
    }
}
