//! Prints what the adapters of this machine can do, software ones included: each kernel against the adapter's own
//! limit.
#![allow(clippy::print_stdout)] // printing is what this program is for

fn main() -> Result<(), engine::bench::BenchError> {
    for device in engine::gpu::open_all() {
        println!("{}: {:?}", device.info().name, device.info().arithmetics);
        let (limits, kernels) = engine::bench::run_gpu(&device)?;
        for limit in limits {
            let (fma, iterations) = (limit.gfma_per_sec, limit.giter_per_sec);
            println!(
                "  {:14} {fma:10.2} Gfma/s, bound {iterations:8.3} Giter/s",
                limit.arithmetic
            );
        }
        for kernel in kernels {
            let (rate, share) = (kernel.giter_per_sec, kernel.of_limit);
            println!(
                "  {:20} {:10} {rate:8.3} Giter/s, {share:5.3} of the bound",
                kernel.name, kernel.scene
            );
        }
    }
    Ok(())
}
