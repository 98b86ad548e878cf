/** When to draw: at most once a frame, and less often where drawing is slow. */

export interface Frames {
  /** Call `draw` soon; asking again before then changes nothing. */
  ask(draw: () => void): void;
}

const HIDDEN_MS = 250;
/** Of every stretch of time, this part at most goes into drawing. */
const DRAWING_SHARE = 0.4;

export function pageFrames(): Frames {
  let waiting = false;
  let notBefore = 0;

  const run = (draw: () => void): void => {
    const now = performance.now();
    if (now < notBefore && !document.hidden) {
      requestAnimationFrame(() => run(draw));
      return;
    }
    waiting = false;
    draw();
    // What was asked for is drawn by the time that the next task runs.
    setTimeout(() => {
      const spent = performance.now() - now;
      notBefore = now + spent / DRAWING_SHARE;
    });
  };

  return {
    ask(draw) {
      if (waiting) return;
      waiting = true;
      // A page in the background gets no frames.
      if (document.hidden) setTimeout(() => run(draw), HIDDEN_MS);
      else requestAnimationFrame(() => run(draw));
    },
  };
}
