/** Operators on the sensor that sent the event, as described by `routing`: architecture, platform, tags. */
import { platformName } from '../../../model/platforms.ts';
import { isObject, type Test, type View } from '../../view.ts';
import type { CompileOperator, Spec } from '../spec.ts';
import type { Operators } from './operator.ts';

function routingField(view: View, field: string): unknown {
  const { routing } = view;
  return isObject(routing) && Object.hasOwn(routing, field) ? routing[field] : undefined;
}

const architecture = (...codes: number[]): CompileOperator => {
  const wanted = new Set<unknown>(codes);
  return () => (view) => wanted.has(routingField(view, 'arch'));
};

const onPlatform =
  (name: string): Test =>
  (view) => {
    const code = routingField(view, 'plat');
    return typeof code === 'number' && platformName(code) === name;
  };

const platform = (name: string): CompileOperator => {
  const test = onPlatform(name);
  return () => test;
};

function isTagged(spec: Spec): Test {
  const tag = spec.text('tag');
  return (view, run) => {
    const tags = routingField(view, 'tags');
    if (!Array.isArray(tags)) return false;
    run.spend(tags.length);
    return tags.includes(tag);
  };
}

export const SENSOR_OPERATORS: Operators = {
  'is 32 bit': { compile: architecture(1) },
  /** Arm64 is both 64 bit and arm. */
  'is 64 bit': { compile: architecture(2, 4) },
  'is arm': { compile: architecture(3, 4) },
  'is tagged': { compile: isTagged },
  'is platform': { compile: (spec) => onPlatform(spec.text('name')) },
  'is windows': { compile: platform('windows') },
  'is linux': { compile: platform('linux') },
  'is mac': { compile: platform('macos') },
  'is chrome': { compile: platform('chrome') },
  'is text': { compile: platform('text') },
  'is json': { compile: platform('json') },
  'is gcp': { compile: platform('gcp') },
  'is carbon_black': { compile: platform('carbon_black') },
};
