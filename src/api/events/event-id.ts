/**
 * The ids of events on the wire: how far a reader has come, sealed. The positions are those of all orgs' records, and an org
 * must not see how much others write: so an id is encrypted, as long whatever it holds, and never the same twice. Every
 * process of an installation opens what another has sealed, for the same org.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Config } from '../../config.ts';
import type { Positions } from '../ports.ts';
import { packed, unpacked } from './event-position.ts';

/** null: no id was given. `unreadable`: it is none of this org's, by whatever it differs; or it was sealed by another secret, or
 *  before an upgrade, and its holder would come with it again and again. */
export type Asked = Positions | null | 'unreadable';

export type EventIds = {
  seal(oid: string, positions: Positions): string;
  open(oid: string, id: string | undefined): Asked;
};

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createEventIds(config: Config): EventIds {
  const key = createHmac('sha256', sharedSecret(config)).update('ids of events').digest();
  return {
    seal: (oid, positions) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(oid));
      const sealed = Buffer.concat([cipher.update(packed(positions)), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open: (oid, id) => {
      if (id === undefined || id === '') return null;
      const bytes = Buffer.from(id, 'base64url');
      const [iv, tag, sealed] = [
        bytes.subarray(0, IV_BYTES),
        bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES),
        bytes.subarray(IV_BYTES + TAG_BYTES),
      ];
      try {
        const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(oid));
        return unpacked(Buffer.concat([decipher.setAuthTag(tag).update(sealed), decipher.final()]));
      } catch {
        return 'unreadable';
      }
    },
  };
}

/** Without JWT_SECRET, what all processes of an installation know and tenants don't: how its Redis is reached. */
const sharedSecret = ({ JWT_SECRET, REDIS_URL, REDIS_CLUSTER_NODES }: Config): string =>
  JWT_SECRET || [REDIS_URL, ...REDIS_CLUSTER_NODES].join(' ');
