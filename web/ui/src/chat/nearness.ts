/** Tells elements of the conversation when they come near the visible part of it, and when they leave. */

const MARGIN = "1000px 0px";

export class Nearness {
  private observer: IntersectionObserver | null = null;
  private readonly calls = new Map<Element, (near: boolean) => void>();

  /** Returns what ends the watch. Where nothing can be observed everything counts as near. */
  watch(element: Element, changed: (near: boolean) => void): () => void {
    if (typeof IntersectionObserver === "undefined") {
      changed(true);
      return () => undefined;
    }
    this.observer ??= new IntersectionObserver((entries) => this.seen(entries), {
      root: element.closest(".thread-scroll"),
      rootMargin: MARGIN,
    });
    this.calls.set(element, changed);
    this.observer.observe(element);
    return () => {
      this.calls.delete(element);
      this.observer?.unobserve(element);
    };
  }

  private seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const entry of entries) this.calls.get(entry.target)?.(entry.isIntersecting);
  }
}
