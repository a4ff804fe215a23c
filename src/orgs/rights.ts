/** The rights that a key can have; routes and actions name the rights that allow them, of which one is enough. */

export const RIGHTS = [
  'sensor.list',
  'sensor.get',
  'sensor.task',
  'sensor.tag',
  'sensor.del',
  'dr.list',
  'dr.set',
  'dr.del',
  'dr.list.managed',
  'dr.set.managed',
  'dr.del.managed',
  'ext.request',
  'ext.sub',
];
