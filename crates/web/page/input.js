// Fingers, pointers, wheels and keys become moves of a view.

const WHEEL = 0.0022;
const KEY_STEP = 0.1;

/** Hears of everything that happens on a canvas; `act` is told: `{moved: [x, y]}`, `{zoomed: factor, at: [x, y]}` or `{key}`. */
export function listen(canvas, act) {
  const pointers = new Map();
  const ratio = () => canvas.width / canvas.getBoundingClientRect().width;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * ratio(), (event.clientY - box.top) * ratio()];
  };
  let speed = [0, 0];
  let gliding = 0;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  function glide() {
    cancelAnimationFrame(gliding);
    if (calm.matches || Math.hypot(...speed) < 3) return;
    const step = () => {
      speed = speed.map((part) => part * 0.92);
      if (Math.hypot(...speed) < 1) return;
      act({ moved: speed.map(Math.round) });
      gliding = requestAnimationFrame(step);
    };
    gliding = requestAnimationFrame(step);
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    cancelAnimationFrame(gliding);
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    document.body.dataset.dragging = "";
    speed = [0, 0];
  });
  canvas.addEventListener("pointermove", (event) => {
    act({ pointer: place(event) });
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    if (pointers.size === 2) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const apart = (a, b) => Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
      const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      const [from, to] = [middle(before, other), middle(now, other)];
      act({ moved: [to[0] - from[0], to[1] - from[1]] });
      act({ zoomed: apart(now, other) / apart(before, other), at: to });
    } else if (pointers.size === 1) {
      speed = [now[0] - before[0], now[1] - before[1]];
      act({ moved: speed });
    }
    pointers.set(event.pointerId, now);
  });
  const lift = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (pointers.size > 0) return;
    delete document.body.dataset.dragging;
    if (event.type === "pointerup") glide();
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    cancelAnimationFrame(gliding);
    const unit = event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1;
    const factor = Math.exp(-Math.max(-600, Math.min(600, event.deltaY * unit)) * WHEEL);
    act({ zoomed: factor, at: place(event) });
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => act({ zoomed: event.shiftKey ? 0.5 : 2, at: place(event), isStep: true }));

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, select, textarea, dialog[open]");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = KEY_STEP * Math.min(canvas.width, canvas.height) * (event.shiftKey ? 5 : 1);
    const arrows = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const digit = /^Digit([1-9])$/.exec(event.code);
    if (arrows[event.key]) act({ moved: arrows[event.key] });
    else if (event.key === "+" || event.key === "=") act({ zoomed: 1.5 });
    else if (event.key === "-" || event.key === "_") act({ zoomed: 1 / 1.5 });
    else if (digit) act({ zoomed: 2 ** ((event.shiftKey ? -1 : 1) * Number(digit[1])), isStep: true });
    else {
      act({ key: event.key });
      return;
    }
    event.preventDefault();
  });
}
