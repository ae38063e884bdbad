//! The WGSL kernels, composed and described; knows no GPU API.
