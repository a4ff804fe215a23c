/**
 * Codes and names of platforms and architectures. Sensors report codes; users and selectors write names. Pure.
 *
 * A platform is the top byte of a 32-bit number; the other bytes are ignored. Records hold it as a signed number, JSON as an
 * unsigned one; both are accepted. A code without a name is shown as decimal text.
 */

/** Names by top byte. */
const PLATFORMS: ReadonlyMap<number, string> = new Map([
  [0x01, 'crowdstrike'],
  [0x02, 'xml'],
  [0x03, 'wel'],
  [0x04, 'msdefender'],
  [0x05, 'duo'],
  [0x06, 'okta'],
  [0x07, 'sentinel_one'],
  [0x08, 'github'],
  [0x09, 'slack'],
  [0x0a, 'cef'],
  [0x0b, 'lc_event'],
  [0x0c, 'azure_ad'],
  [0x0d, 'azure_monitor'],
  [0x0e, 'canary_token'],
  [0x0f, 'guard_duty'],
  [0x10, 'windows'],
  [0x11, 'itglue'],
  [0x12, 'k8s_pods'],
  [0x13, 'zeek'],
  [0x14, 'mac_unified_logging'],
  [0x15, 'azure_event_hub_namespace'],
  [0x16, 'azure_key_vault'],
  [0x17, 'azure_kubernetes_service'],
  [0x18, 'azure_network_security_group'],
  [0x19, 'azure_sql_audit'],
  [0x1a, 'email'],
  [0x1b, 'fortigate'],
  [0x1c, 'trend_worryfree'],
  [0x1d, 'netscaler'],
  [0x1e, 'paloalto_fw'],
  [0x1f, 'iis'],
  [0x20, 'linux'],
  [0x21, 'hubspot'],
  [0x22, 'zendesk'],
  [0x23, 'pandadoc'],
  [0x24, 'falconcloud'],
  [0x25, 'mimecast'],
  [0x26, 'sublime'],
  [0x27, 'box'],
  [0x28, 'cylance'],
  [0x29, 'proofpoint'],
  [0x2a, 'entraid'],
  [0x2b, 'wiz'],
  [0x2c, 'bitwarden'],
  [0x2d, 'trend_micro'],
  [0x2e, 'otel'],
  [0x2f, 'cortex_xdr'],
  [0x30, 'macos'],
  [0x31, 'harmony'],
  [0x32, 'threatlocker'],
  [0x33, 'halopsa'],
  [0x40, 'ios'],
  [0x50, 'android'],
  [0x60, 'chrome'],
  [0x70, 'vpn'],
  [0x80, 'text'],
  [0x90, 'json'],
  [0xa0, 'gcp'],
  [0xb0, 'aws'],
  [0xc0, 'carbon_black'],
  [0xd0, '1password'],
  [0xe0, 'office365'],
  [0xf0, 'sophos'],
]);

const ARCHITECTURES: ReadonlyMap<number, string> = new Map([
  [1, 'x86'],
  [2, 'x64'],
  [3, 'arm'],
  [4, 'arm64'],
  [5, 'alpine64'],
  [6, 'chromium'],
  [7, 'wireguard'],
  [8, 'arml'],
  [9, 'usp_adapter'],
]);

const PLATFORM_BYTES: ReadonlyMap<string, number> = new Map([...PLATFORMS].map(([byte, name]) => [name, byte]));
const ARCHITECTURE_CODES: ReadonlyMap<string, number> = new Map([...ARCHITECTURES].map(([code, name]) => [name, code]));

/** The name of a platform code (signed or unsigned 32 bits), or the code as unsigned decimal text. */
export function platformName(code: number): string {
  const unsigned = code >>> 0;
  return PLATFORMS.get(unsigned >>> 24) ?? String(unsigned);
}

/** The code of a platform name, unsigned as in JSON: windows is 268435456. */
export function platformCode(name: string): number | undefined {
  const byte = PLATFORM_BYTES.get(name);
  return byte === undefined ? undefined : byte * 0x1000000;
}

/** The name of an architecture code, or the code as decimal text. */
export function architectureName(code: number): string {
  return ARCHITECTURES.get(code) ?? String(code);
}

export function architectureCode(name: string): number | undefined {
  return ARCHITECTURE_CODES.get(name);
}

/** Every platform name, in the order of the codes. */
export const PLATFORM_NAMES: readonly string[] = [...PLATFORMS.values()];
export const ARCHITECTURE_NAMES: readonly string[] = [...ARCHITECTURES.values()];
