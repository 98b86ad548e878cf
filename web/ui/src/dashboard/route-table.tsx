import type { DashboardRoute } from "../api/types";
import { routeLabel } from "../run/route";
import { percent, seconds, short, whole } from "../shell/format";

export function RouteTable({ routes }: { routes: readonly DashboardRoute[] }) {
  if (!routes.length) return null;
  return (
    <section className="card">
      <h2>Routes</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard */}
      <section className="table-scroll" aria-label="Routes" tabIndex={0}>
        <table className="routes">
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col">Share</th>
              <th scope="col">Runs</th>
              <th scope="col">Time</th>
              <th scope="col">Cost</th>
              <th scope="col">Supported</th>
              <th scope="col">Thumbs</th>
            </tr>
          </thead>
          <tbody>
            {routes.map((route) => (
              <tr key={route.route}>
                <th scope="row">{routeLabel(route.route)}</th>
                <td className="share-cell">
                  <svg className="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                    <rect className="bar-ground" width="100" height="6" />
                    <rect className="bar-success" width={route.share * 100} height="6" />
                  </svg>
                  {percent(route.share)}
                </td>
                <td>{whole(route.runs)}</td>
                <td>{route.seconds_p50 === null ? "–" : seconds(route.seconds_p50)}</td>
                <td>{route.cost === null ? "–" : `${short(route.cost)} tokens`}</td>
                <td>{route.supported === null ? "–" : percent(route.supported)}</td>
                <td>{`${route.up} up, ${route.down} down`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
