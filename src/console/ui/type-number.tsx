/** Asks the user to type the number of sensors before an action on many of them. Continues only if the number is right. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isNumberTyped } from '../../model/confirm.ts';
import { Fault } from './bits.tsx';

type Props = {
  sensors: number;
  /** What the number is for: `To queue it for 3,037 sensors`. */
  purpose: string;
  /** Why the last attempt failed. */
  fault: string | null;
  onTyped(): void;
  /** The buttons; the one that goes on is of type submit. */
  children: ComponentChildren;
};

export function TypeNumber({ sensors, purpose, fault, onTyped, children }: Props) {
  const [text, setText] = useState('');
  const [isWrong, setWrong] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  // Another number has to be typed anew.
  // Before the field can be seen: an effect that runs later would clear what is typed at once.
  useLayoutEffect(() => {
    setText('');
    setWrong(false);
    input.current?.focus();
  }, [sensors]);
  return (
    <form
      class="form type-number"
      onSubmit={(event) => {
        event.preventDefault();
        const isTyped = isNumberTyped(text, sensors);
        setWrong(!isTyped);
        if (isTyped) onTyped();
        else input.current?.focus();
      }}
    >
      <label>
        <span>
          {purpose}, type <b>{sensors}</b>
        </span>
        <input
          ref={input}
          data-first
          inputMode="numeric"
          autocomplete="off"
          aria-invalid={isWrong}
          value={text}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            setWrong(false);
          }}
        />
      </label>
      <Fault text={isWrong ? `The number does not match: type ${sensors}.` : fault} />
      <footer>{children}</footer>
    </form>
  );
}
