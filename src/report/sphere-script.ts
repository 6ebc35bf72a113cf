// What turns the spheres of `sphere.ts` in a page: a script without libraries, which the page carries and its
// policy allows by hash. It draws what `sphere.ts` draws, from another side; a test compares the two.

/** Radius of the sphere and half the side of the drawing, in the drawing's units. */
export const RADIUS = 100;
export const HALF = 136;

/** How much is seen of what lies behind. */
export const BEHIND = 0.35;

/** Turns every `sphere` of the page. It belongs at the page's end, where the spheres are there already. */
export const SPHERE_SCRIPT = `
'use strict';
for (const svg of document.querySelectorAll('svg[data-sphere]')) {
  const model = JSON.parse(svg.getAttribute('data-sphere'));
  const group = (name, part) => svg.querySelector('g[data-' + name + '="' + part + '"]').children;
  const short = (value) => String(Math.round(value * 10) / 10);
  const start = model.turn;
  let turn = start;

  const seen = (places, i) => {
    const [r, u, t] = turn.map((row) =>
      (row[0] * places[3 * i] + row[1] * places[3 * i + 1] + row[2] * places[3 * i + 2]) / 1000);
    return [r * ${RADIUS}, -u * ${RADIUS}, t];
  };
  const path = (places, front, dots) => {
    let d = '';
    let drawing = false;
    for (let i = 0; i < places.length / 3; i++) {
      const [x, y, t] = seen(places, i);
      const here = front ? t >= 0 : t < 0;
      if (here) d += (drawing && !dots ? 'L' : 'M') + short(x) + ' ' + short(y) + (dots ? 'h0' : '');
      drawing = here;
    }
    return d;
  };
  const rays = (name, places, inner, outer, label) => {
    const [lines, names] = [group(name, 'lines'), group(name, 'names')];
    for (let i = 0; i < places.length / 3; i++) {
      const [x, y, t] = seen(places, i);
      lines[i].setAttribute('d', 'M' + short(x * inner) + ' ' + short(y * inner) +
        'L' + short(x * outer) + ' ' + short(y * outer));
      names[i].setAttribute('transform', 'translate(' + short(x * label) + ' ' + short(y * label) + ')');
      for (const one of [lines[i], names[i]]) one.setAttribute('opacity', t >= 0 ? 1 : ${BEHIND});
    }
  };
  const draw = () => {
    for (const front of [0, 1]) {
      model.grid.forEach((line, i) => group('lines', front)[i].setAttribute('d', path(line, front, false)));
      model.dots.forEach((dots, i) => group('dots', front)[i].setAttribute('d', path(dots, front, true)));
    }
    rays('axes', model.axes, 1, 1.16, 1.25);
    rays('rays', model.rays, 0, 1, 1.1);
  };

  // What is in front moves to the right and up by these angles, in radians.
  const move = (right, up) => {
    const mix = (a, b, angle) => a.map((value, i) => value * Math.cos(angle) + b[i] * Math.sin(angle));
    const [r, u, t] = turn;
    const towards = mix(t, r, -right);
    turn = [mix(r, t, right), mix(u, towards, up), mix(towards, u, -up)];
  };
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };

  svg.setAttribute('tabindex', '0');
  svg.setAttribute('role', 'application');
  svg.setAttribute('aria-roledescription', 'sphere to turn with the arrow keys');
  // A finger that moves up or down scrolls the page, as everywhere.
  svg.style.cssText += ';cursor:grab;touch-action:pan-y pinch-zoom;user-select:none';

  let held;
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    held = [event.clientX, event.clientY];
    svg.setPointerCapture(event.pointerId);
    svg.style.cursor = 'grabbing';
  });
  svg.addEventListener('pointermove', (event) => {
    if (!held) return;
    const radius = (svg.clientWidth * ${RADIUS}) / ${2 * HALF};
    move((event.clientX - held[0]) / radius, (held[1] - event.clientY) / radius);
    held = [event.clientX, event.clientY];
    later();
  });
  for (const end of ['pointerup', 'pointercancel']) {
    svg.addEventListener(end, () => {
      held = undefined;
      svg.style.cursor = 'grab';
    });
  }
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  svg.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Home') turn = start;
    else if (steps[event.key]) move(...steps[event.key].map((step) => (step * Math.PI) / 18));
    else return;
    event.preventDefault();
    later();
  });
}
for (const hint of document.querySelectorAll('[data-sphere-hint]')) hint.hidden = false;
`;
