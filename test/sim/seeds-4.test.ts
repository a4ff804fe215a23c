import { keepsPromises } from './seeds.ts';

keepsPromises(4);
