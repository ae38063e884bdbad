//! Which adapters this machine has, which of them are software, and which are one and the same GPU.

use std::collections::HashSet;

use wgpu::{Backend, Backends, DeviceType};

/// One adapter as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSummary {
    /// Name for people, with the API: `llvmpipe (LLVM 15.0.6, 256 bits) on Vulkan`.
    pub name: String,
    /// Whether the processor does its work.
    pub software: bool,
}

/// An adapter that is not open yet.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) adapter: wgpu::Adapter,
    pub(super) traits: Traits,
}

/// What adapters are chosen by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) name: String,
    backend: Backend,
    device_type: DeviceType,
    vendor: u32,
    device: u32,
    pci_bus_id: String,
}

impl Traits {
    fn of(info: &wgpu::AdapterInfo) -> Self {
        Self {
            name: info.name.clone(),
            backend: info.backend,
            device_type: info.device_type,
            vendor: info.vendor,
            device: info.device,
            pci_bus_id: info.device_pci_bus_id.clone(),
        }
    }

    pub(super) fn summary(&self) -> AdapterSummary {
        let api = match self.backend {
            Backend::Vulkan => "Vulkan",
            Backend::Metal => "Metal",
            Backend::Dx12 => "DX12",
            Backend::Gl => "GL",
            Backend::BrowserWebGpu => "WebGPU",
            Backend::Noop => "no API",
        };
        AdapterSummary {
            name: format!("{} on {api}", self.name),
            software: self.is_software(),
        }
    }

    /// GL has no word for its kind of device, so software rasterizers are known by name there.
    fn is_software(&self) -> bool {
        const SOFTWARE_NAMES: [&str; 7] = [
            "llvmpipe",
            "lavapipe",
            "softpipe",
            "swrast",
            "swiftshader",
            "software",
            "basic render",
        ];
        let name = self.name.to_lowercase();
        self.device_type == DeviceType::Cpu
            || SOFTWARE_NAMES.iter().any(|known| name.contains(known))
    }

    /// Whether it is a GPU. GL calls most GPUs `Other`; elsewhere that is something unknown.
    fn is_hardware(&self) -> bool {
        let gpu = match self.device_type {
            DeviceType::DiscreteGpu | DeviceType::IntegratedGpu | DeviceType::VirtualGpu => true,
            DeviceType::Other => self.backend == Backend::Gl,
            DeviceType::Cpu => false,
        };
        gpu && !self.is_software()
    }

    /// Smaller is better: explicit APIs overlap and report errors better than GL does.
    fn rank(&self) -> u8 {
        match self.backend {
            Backend::Vulkan | Backend::Metal => 0,
            Backend::Dx12 => 1,
            _ => 2,
        }
    }
}

/// Whether this machine can have a hardware adapter at all.
///
/// Looking for adapters loads every driver, software ones too, and takes a third of a second. On Linux a
/// GPU's driver shows a node under `/dev`, so without any of these there is none to look for; on other
/// systems there always may be one.
pub(super) fn may_have_hardware() -> bool {
    /// Beginnings of the nodes' names: kernel drivers, NVIDIA's, Tegra's, WSL's, Arm's, Qualcomm's, Imagination's.
    const NODES: [&str; 8] = [
        "dri", "nvidia", "nvhost", "nvmap", "dxg", "mali", "kgsl", "pvr",
    ];
    if !cfg!(target_os = "linux") {
        return true;
    }
    let Ok(nodes) = std::fs::read_dir("/dev") else {
        return true;
    };
    nodes.flatten().any(|node| {
        let name = node.file_name();
        NODES
            .iter()
            .any(|known| name.as_encoded_bytes().starts_with(known.as_bytes()))
    })
}

/// Whether drivers can be loaded. They are shared libraries of the machine's C library, beside which a program that brings
/// its own would run a second one.
pub(super) const LOADS_DRIVERS: bool = !cfg!(all(unix, target_feature = "crt-static"));

/// Every adapter of this machine, the preferred API first; none where drivers cannot be loaded.
pub(super) fn find() -> Vec<Candidate> {
    if !LOADS_DRIVERS {
        return Vec::new();
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: Backends::PRIMARY | Backends::GL,
        // Indirect arguments come from our own kernels and are bounded by the dispatch before: wgpu's extra
        // dispatch that checks each of them would double the number of dispatches.
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut found: Vec<Candidate> =
        pollster::block_on(instance.enumerate_adapters(Backends::all()))
            .into_iter()
            .map(|adapter| {
                let traits = Traits::of(&adapter.get_info());
                Candidate { adapter, traits }
            })
            .collect();
    found.sort_by_key(|found| found.traits.rank());
    found
}

/// Positions of the hardware adapters to open: each GPU once, through its best API. `all` is in the order
/// of [`find`].
pub(super) fn hardware(all: &[Traits]) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut bus_ids = HashSet::new();
    for (at, traits) in all
        .iter()
        .enumerate()
        .filter(|(_, traits)| traits.is_hardware())
    {
        // Several drivers for one GPU behind one API.
        if !traits.pci_bus_id.is_empty() && !bus_ids.insert(traits.pci_bus_id.clone()) {
            continue;
        }
        // The same model through a better API; identical GPUs behind one API are kept. GL knows no device
        // number, and often no vendor: there a better API with any GPU of the vendor outdoes it.
        let outdone = chosen.iter().map(|better| &all[*better]).any(|better| {
            better.rank() < traits.rank()
                && if traits.backend == Backend::Gl {
                    traits.vendor == 0 || traits.vendor == better.vendor
                } else {
                    (traits.vendor, traits.device) == (better.vendor, better.device)
                }
        });
        if !outdone {
            chosen.push(at);
        }
    }
    chosen
}

/// Positions of the software adapters.
pub(super) fn software(all: &[Traits]) -> Vec<usize> {
    (0..all.len()).filter(|at| all[*at].is_software()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(
        name: &str,
        backend: Backend,
        device_type: DeviceType,
        vendor: u32,
        bus: &str,
    ) -> Traits {
        Traits {
            name: name.into(),
            backend,
            device_type,
            vendor,
            device: 7,
            pci_bus_id: bus.into(),
        }
    }

    #[test]
    fn a_gpu_behind_two_apis_is_opened_once() {
        let all = [
            traits(
                "A",
                Backend::Vulkan,
                DeviceType::DiscreteGpu,
                0x10de,
                "0000:01:00.0",
            ),
            traits(
                "A",
                Backend::Vulkan,
                DeviceType::DiscreteGpu,
                0x10de,
                "0000:02:00.0",
            ),
            traits(
                "A again",
                Backend::Vulkan,
                DeviceType::DiscreteGpu,
                0x10de,
                "0000:02:00.0",
            ),
            traits("llvmpipe", Backend::Vulkan, DeviceType::Cpu, 0x10005, ""),
            traits("A", Backend::Dx12, DeviceType::DiscreteGpu, 0x10de, ""),
            traits("A/PCIe/SSE2", Backend::Gl, DeviceType::Other, 0x10de, ""),
            traits("B", Backend::Gl, DeviceType::Other, 0x1002, ""),
            traits("llvmpipe (LLVM 15)", Backend::Gl, DeviceType::Other, 0, ""),
        ];
        assert_eq!(hardware(&all), [0, 1, 6]);
        assert_eq!(software(&all), [3, 7]);
        assert_eq!(all[7].summary().name, "llvmpipe (LLVM 15) on GL");
    }

    #[test]
    fn an_unknown_device_is_no_gpu_outside_gl() {
        let all = [traits("?", Backend::Vulkan, DeviceType::Other, 1, "")];
        assert_eq!(hardware(&all), [0usize; 0]);
    }
}
