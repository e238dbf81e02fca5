// What makers of evidence need of the formats' values.

export { base64, concat, formatTime, fromHex, hex, sha256, uint64be } from "../src/format/value.ts";
export { encode as encodeText } from "../src/format/text.ts";
