// Appends the states of the pixels that are still active: one atomic operation a workgroup.

var<workgroup> survivors: atomic<u32>;
var<workgroup> first_place: u32;

// Every invocation of the workgroup must come here, active or not.
fn append(alive: bool, state: State, lane: u32) {
    var place = 0u;
    if alive {
        place = atomicAdd(&survivors, 1u);
    }
    workgroupBarrier();
    if lane == 0u {
        let added = atomicLoad(&survivors);
        if added > 0u {
            let before = atomicAdd(&slots[params.slot + 1u].count, added);
            first_place = before;
            atomicMax(&slots[params.slot + 1u].workgroups_x, (before + added + WORKGROUP - 1u) / WORKGROUP);
        }
    }
    workgroupBarrier();
    if alive {
        states_out[first_place + place] = state;
    }
}
