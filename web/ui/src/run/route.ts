/** A route's name is `strategy(model)` or `strategy(model+model)`. */

export function strategyOf(route: string): string {
  const open = route.indexOf("(");
  return open < 0 ? route : route.slice(0, open);
}

export function modelsOf(route: string): string[] {
  const inside = /\(([^()]*)\)/.exec(route)?.[1];
  return inside ? inside.split("+") : [];
}

/** For a sentence: "program on large"; a name without models stands as it is. */
export function routeLabel(route: string): string {
  const models = modelsOf(route);
  return models.length ? `${strategyOf(route)} on ${models.join(" + ")}` : route;
}
