/** If one page fails, the menu stays and other pages can be opened. Needs a key for each page. */
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
      <Empty title="This page cannot be shown">
        <p>{this.state.fault}</p>
        <button type="button" onClick={() => this.setState({ fault: null })}>
          Try again
        </button>
      </Empty>
    );
  }
}
