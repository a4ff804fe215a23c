/** Operators on the sensor that sent the event, as `routing` describes it: architecture, platform, tags. */
import { platformName } from '../../../model/platforms.ts';
import { isObject, type Test, type View } from '../../view.ts';
import type { Spec } from '../spec.ts';

function routingField(view: View, field: string): unknown {
  const { routing } = view;
  return isObject(routing) && Object.hasOwn(routing, field) ? routing[field] : undefined;
}

const architecture = (...codes: number[]): (() => Test) => {
  const wanted = new Set<unknown>(codes);
  return () => (view) => wanted.has(routingField(view, 'arch'));
};

export const is32Bit = architecture(1);
/** Arm64 is both 64 bit and arm. */
export const is64Bit = architecture(2, 4);
export const isArm = architecture(3, 4);

const onPlatform =
  (name: string): Test =>
  (view) => {
    const code = routingField(view, 'plat');
    return typeof code === 'number' && platformName(code) === name;
  };

export const isPlatform = (spec: Spec): Test => onPlatform(spec.text('name'));
export const platform = (name: string) => (): Test => onPlatform(name);

export function isTagged(spec: Spec): Test {
  const tag = spec.text('tag');
  return (view, run) => {
    const tags = routingField(view, 'tags');
    if (!Array.isArray(tags)) return false;
    run.spend(tags.length);
    return tags.includes(tag);
  };
}
