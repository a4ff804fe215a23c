/** What an action of a rule that matched is run with. */
import type { Origin } from '../command/task-command.ts';
import type { RolePorts } from '../ports.ts';
import type { NamedRule } from '../rules/ruleset.ts';
import type { View } from '../rules/view.ts';
import type { Devices } from './devices.ts';
import type { Effects } from './effects.ts';
import type { Report } from './report.ts';
import type { Seen } from './seen.ts';
import type { Turn } from './turn.ts';

export type Ports = Pick<RolePorts, 'config' | 'orgs' | 'projection'> & { devices: Pick<Devices, 'sensorsOf'> };

/** A rule that has matched, and the reports that its actions have made so far. */
export type Firing = {
  readonly rule: NamedRule;
  readonly seen: Seen;
  readonly mtd: unknown;
  readonly reports: Report[];
};

/** What an action is run with. */
export type Stage = {
  readonly ports: Ports;
  readonly turn: Turn;
  readonly effects: Effects;
  readonly firing: Firing;
  readonly nowMs: number;
};

export type Acting = {
  readonly ports: Ports;
  readonly turn: Turn;
  readonly effects: Effects;
  readonly firing: Firing;
  readonly seen: Seen;
  readonly at: string;
  readonly origin: Origin;
  /** What templates see. */
  readonly data: View;
};
