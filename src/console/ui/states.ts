/** The one table of state labels. A state that the API adds does not compile until it has a label here. */
import type { DeliveryState, TaskState, Why } from '../api/types.ts';

type Presence = 'online' | 'offline';
type RuleState = 'enabled' | 'disabled';
export type ShownState = DeliveryState | TaskState | Why['state'] | Presence | RuleState;

type Label = { label: string; meaning: string };

/** In the order in which a bar shows them. */
const DELIVERY_LABELS: Readonly<Record<DeliveryState, Label>> = {
  done: { label: 'done', meaning: 'The sensor answered.' },
  failed: { label: 'failed', meaning: 'The sensor answered with an error.' },
  sent: { label: 'sent', meaning: 'Sent. The sensor has not answered yet.' },
  queued: { label: 'queued', meaning: 'Not sent yet.' },
  expired: { label: 'expired', meaning: 'The task expired before the sensor answered.' },
  removed: { label: 'removed', meaning: 'The task was withdrawn before the sensor answered.' },
};

const LABELS: Readonly<Record<ShownState, Label>> = {
  ...DELIVERY_LABELS,
  pending: { label: 'pending', meaning: 'The task can still be sent.' },
  none: { label: 'no delivery', meaning: 'The task is not for this sensor.' },
  online: { label: 'online', meaning: 'The sensor is connected.' },
  offline: { label: 'offline', meaning: 'The sensor is not connected.' },
  enabled: { label: 'enabled', meaning: 'The rule runs.' },
  disabled: { label: 'disabled', meaning: 'The rule does not run.' },
};

export const DELIVERY_STATES = Object.keys(DELIVERY_LABELS) as DeliveryState[];

export const labelOf = (state: ShownState): string => LABELS[state].label;

export const meaningOf = (state: ShownState): string => LABELS[state].meaning;
