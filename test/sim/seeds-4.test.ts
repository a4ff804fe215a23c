/** A file for each share of the seeds, so that as many run side by side as there are cores. */
import { keepsPromises } from './seeds.ts';

keepsPromises(1501, 2000);
