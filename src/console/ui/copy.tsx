/** A text with a Copy button. Browsers have no clipboard API over plain HTTP, so there `execCommand` copies the selected text. */
import { useEffect, useRef, useState } from 'preact/hooks';

const SAID_MS = 1_500;

async function copy(text: string, shown: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return document.execCommand('copy');
  }
}

export function CopyBox({ label, text, wrap = false }: { label: string; text: string; wrap?: boolean }) {
  const shown = useRef<HTMLPreElement>(null);
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return undefined;
    const timer = setTimeout(() => setSaid(null), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const onCopy = async () => {
    if (shown.current) setSaid((await copy(text, shown.current)) ? 'Copied' : 'Selected');
  };
  return (
    <div class="copy">
      <div class="copy-head">
        <span>{label}</span>
        <button type="button" class="quiet" onClick={() => void onCopy()} aria-live="polite">
          {said ?? 'Copy'}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} ref={shown} class={wrap ? 'wrap' : ''}>
        {text}
      </pre>
    </div>
  );
}
