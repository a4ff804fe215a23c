/** What the actions of a rule get. */
import type { Origin } from '../command/task-command.ts';
import type { RolePorts } from '../ports.ts';
import type { NamedRule } from '../rules/ruleset.ts';
import type { View } from '../rules/view.ts';
import type { Devices } from './devices.ts';
import type { Effects } from './effects.ts';
import type { Report } from './report.ts';
import type { RuleEvent } from './rule-event.ts';
import type { Withdrawals } from './withdrawals.ts';

export type ActionPorts = Pick<RolePorts, 'config' | 'orgs'> & { devices: Pick<Devices, 'sensorsOf'> };

/** A rule that matched an event, and the reports that its actions have made so far. */
export type Firing = {
  readonly rule: NamedRule;
  readonly event: RuleEvent;
  readonly mtd: unknown;
  readonly reports: Report[];
};

/** What all actions of a firing get. */
export type FiringInput = {
  readonly ports: ActionPorts;
  readonly withdrawals: Withdrawals;
  readonly effects: Effects;
  readonly firing: Firing;
  readonly nowMs: number;
};

/** What one action gets. */
export type ActionInput = Omit<FiringInput, 'nowMs'> & {
  readonly event: RuleEvent;
  /** The path of the action in the rule: `respond/0`. */
  readonly at: string;
  readonly origin: Origin;
  /** What templates see. */
  readonly data: View;
};

/** `hive/name`: how faults, counts and tasks name a rule. */
export const ruleNameOf = ({ rule }: Pick<Firing, 'rule'>): string => `${rule.hive}/${rule.name}`;
