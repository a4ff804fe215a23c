/** Keeps a fault of one page to that page: the menu stays, and another page can be opened. Give it a key for each page. */
import { Component, type ComponentChildren } from 'preact';
import { Empty } from './bits.tsx';

export class Boundary extends Component<{ children: ComponentChildren }, { fault: string | null }> {
  override state = { fault: null };

  static override getDerivedStateFromError(error: unknown): { fault: string } {
    return { fault: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.fault === null) return this.props.children;
    return (
      <Empty title="This page can’t be shown">
        <p>{this.state.fault}</p>
        <button type="button" onClick={() => this.setState({ fault: null })}>
          Try again
        </button>
      </Empty>
    );
  }
}
