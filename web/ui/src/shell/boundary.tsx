import { Component, type ReactNode } from "react";

/** A fault in drawing must leave a page that says what to do, not a white one. */
export class Boundary extends Component<{ children: ReactNode }, { fault: Error | null }> {
  override state: { fault: Error | null } = { fault: null };

  static getDerivedStateFromError(fault: Error): { fault: Error } {
    return { fault };
  }

  override render(): ReactNode {
    const { fault } = this.state;
    if (!fault) return this.props.children;
    return (
      <main className="login">
        <div className="login-box">
          <h1>This page has failed</h1>
          <p role="alert">{fault.message}</p>
          <p>Your conversations are safe on the server. Reload the page to go on.</p>
          <button type="button" className="button primary" onClick={() => location.reload()}>
            Reload
          </button>
        </div>
      </main>
    );
  }
}
