//! Computes one strip on one device.
