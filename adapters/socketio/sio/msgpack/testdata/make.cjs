// Writes golden.json, which the tests compare this package with: what the real
// packages make of some packets and some frames. To make it again, in an empty
// folder and with Node.js 20:
//
//   npm install socket.io-msgpack-parser@3.0.2 notepack.io@2.2.0 socket.io-parser@4.2.7
//   NODE_PATH=$PWD/node_modules node <here>/make.cjs > <here>/golden.json
const msgpack = require("socket.io-msgpack-parser");
const json = require("socket.io-parser");

const encoder = new msgpack.Encoder();
const frameOf = (packet) => encoder.encode(packet)[0].toString("hex");
// The parser for text, as clients have it by default: its text, then its attachments.
const partsOf = (packet) => {
  const [text, ...attachments] = new json.Encoder().encode(packet);
  return { text, attachments: attachments.map((a) => Buffer.from(a).toString("hex")) };
};

const long = "é".repeat(40);
const many = (n, f) => Array.from({ length: n }, (_, i) => f(i));
const object = (n) => Object.fromEntries(many(n, (i) => ["k" + i, i]));
const event = (...data) => ({ type: 2, data, nsp: "/" });

// What socket.io-client and socket.io hand to their parsers. Those in `same` hold
// nothing that JSON cannot say, and have the members in the order type, data, id,
// nsp: from the text of the packet, Append writes the same frame.
const same = {
  "connect without credentials": { type: 0, nsp: "/" },
  "connect with credentials": { type: 0, data: { token: "x" }, nsp: "/admin" },
  "connected": { type: 0, data: { sid: "Zm9v", pid: "YmFy" }, nsp: "/" },
  "disconnect": { type: 1, nsp: "/ns" },
  "connect error with an object": { type: 4, data: { message: "no", data: { code: "FORBIDDEN" } }, nsp: "/" },
  "connect error with a string": { type: 4, data: "no", nsp: "/" },
  "event": event("message", { conversationId: "c-1", content: "hello" }),
  "event with an ack id": { type: 2, data: ["join_conversation", "c-1"], id: 0, nsp: "/" },
  "event with a big ack id": { type: 2, data: ["a"], id: 70000, nsp: "/chat" },
  "ack": { type: 3, data: [{ ok: true }], id: 12, nsp: "/" },
  "ack without arguments": { type: 3, data: [], id: 1, nsp: "/" },
  "event named by a number": event(1, "a"),
  "literals": event("a", null, true, false, "", [], {}),
  "small integers": event("a", 0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296),
  "big integers": event("a", 2 ** 53 - 1, 1e15, 1e16),
  "negative integers": event("a", -1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649, -(2 ** 53 - 1)),
  "floats": event("a", 0.1, -1.5, 1e-6, 1e-7, 5e-324, 123456.789, -0.000001234),
  "strings": event("a", "\"\\/\b\f\n\r\t\u0000\u001f\u007f", "é€😀\u2028\u2029<>&", long, "x".repeat(31), "x".repeat(32)),
  "long strings": event("a", "x".repeat(255), "x".repeat(256)),
  "keys": event("a", { "": 1, "\n": 2, "é": 3, __proto: 4, constructor: 5, "10": 6, [long]: 7 }),
  "arrays": event("a", many(15, (i) => i), many(16, (i) => [i])),
  "objects": event("a", object(15), object(16), object(17), { a: [{ b: [[], {}] }] }),
  "a Buffer": event("upload", { name: "a.png", data: Buffer.from("png") }),
  "Buffers": event("a", Buffer.alloc(0), [Buffer.alloc(255, 1)], { b: { c: Buffer.alloc(256, 2) } }),
  "an ack with a Buffer": { type: 3, data: [Buffer.from([1, 2, 3])], id: 7, nsp: "/ns" },
  "what looks like a placeholder": event("a", { _placeholder: true, num: 0 }),
};
const other = {
  "as socket.io-client writes connect": { type: 0, data: undefined, options: { compress: true }, nsp: "/" },
  "as socket.io-client writes an event": { type: 2, data: ["a", 1], options: { compress: true }, id: 3, nsp: "/" },
  "as socket.io-client writes an ack": { type: 3, id: 3, data: [1], options: { compress: false }, nsp: "/" },
  "as socket.io-client writes disconnect": { type: 1, options: { compress: true }, nsp: "/" },
  "dates": event("a", new Date(0), new Date(1700000000123), new Date(-1), { d: new Date(-62198755200000) }),
  "dates that are far away": event("a", new Date(8.64e15), new Date(-8.64e15), new Date(253402300800000)),
  "undefined": event("a", undefined, { a: undefined, b: 1, c: undefined }, { a: undefined }, [undefined]),
  "not finite": event("a", NaN, Infinity, -Infinity, -0),
  "ArrayBuffers": event("a", new Uint8Array([1, 2]).buffer, new ArrayBuffer(300)),
  "a lone surrogate in a long string": event("a", "x".repeat(40) + "\ud800"),
};

// Frames as they might come, in hexadecimal. `E` and `F` stand around the data of
// an event; `text` in the result is what the text parser says of the packet.
const E = "83a474797065" + "02a36e7370a12f" + "a464617461";
const F = (data) => E + "92a161" + data;
const frames = {
  "float 32": F("ca3dcccccd"),
  "float 64 with an integral value": F("cb4014000000000000"),
  "float 64 with a big integral value": F("cb43f0000000000000"),
  "-0": F("cb8000000000000000"),
  "int 8, 16, 32 and 64": F("94d0ffd1fffed2fffffffdd3fffffffffffffffc"),
  "positive numbers in signed forms": F("94d001d10002d200000003d30000000000000004"),
  "numbers longer than they need be": F("94cc01cd0002ce00000003cf0000000000000004"),
  "integers as Append writes them beyond 2^53": F("93cf0020000000000001cf80000000000000c0d3ffdfffffffffffff"),
  "numbers as Append writes them beyond 64 bits": F("93cb43f0000000000000cb7fefffffffffffffcbc3e0000000000001"),
  "uint 64 beyond 2^53": F("93cf0020000000000001cf8000000000000001cfffffffffffffffff"),
  "int 64 beyond 2^53": F("92d3ffdfffffffffffffd38000000000000000"),
  "containers longer than they need be": F("94dc000101dd0000000102de0001a16103df00000001a16104"),
  "strings longer than they need be": F("93d90161da000161db0000000161"),
  "bin 8, 16 and 32": F("93c40101c5000102c60000000103"),
  "ArrayBuffer in ext 8, 16 and 32": F("93c7010001c800010002c9000000010003"),
  "undefined alone": F("d40000"),
  "undefined with another filling": F("d400ff"),
  "unknown extensions": F("96d40501d5000102d60501020304d80500000000000000000000000000000000c70205aabbc7017fcc"),
  "a date in the last and the first millisecond": F("92d700001eb208c2dc0000d700ffe14df73d240000"),
  "a date beyond": F("92d700001eb208c2dc0001d7007fffffffffffffff"),
  "a timestamp of the specification, 32 bits": F("d6ff6553f100"),
  "bytes that are not UTF-8": F("a2c328"),
  "half a surrogate pair in UTF-8": F("a3eda080"),
  "a key that is an integer": F("8301a161cd0100a162ffa163"),
  "a key that is null": F("81c0a161"),
  "a key that is a float": F("81cb3ff8000000000000a161"),
  "a key that is an array": F("81910101"),
  "the same key twice": F("82a16101a16102"),
  "__proto__ as a key": F("81a95f5f70726f746f5f5f01"),
  "type as a float": "82a474797065cb3ff0000000000000a36e7370a12f",
  "id as a float": "84a474797065cb4008000000000000a4646174619100a36e7370a12fa26964cb401c000000000000",
  "id undefined": "84a47479706503a46461746190a36e7370a12fa26964d40000",
  "id null": "84a47479706503a46461746190a36e7370a12fa26964c0",
  "id not integral": "84a47479706503a46461746190a36e7370a12fa26964cb3ff8000000000000",
  "id a string": "84a47479706503a46461746190a36e7370a12fa26964a131",
  "id negative": "84a47479706503a46461746190a36e7370a12fa26964ff",
  "id not finite": "84a47479706503a46461746190a36e7370a12fa26964cb7ff0000000000000",
  "id true": "84a47479706503a46461746190a36e7370a12fa26964c3",
  "members in another order": "83a36e7370a32f6e73a46461746191a161a47479706502",
  "members twice": "86a47479706500a47479706502a46461746191a162a36e7370a178a46461746191a161a36e7370a12f",
  "a member of another name": "84a47479706501a36e7370a12fa178c40101a1798101c0",
  "no type": "82a46461746191a161a36e7370a12f",
  "type 5": "83a47479706505a46461746191a161a36e7370a12f",
  "type 6": "83a47479706506a46461746191a161a36e7370a12f",
  "type -1": "83a474797065ffa46461746191a161a36e7370a12f",
  "type not integral": "83a474797065cb3ff8000000000000a46461746191a161a36e7370a12f",
  "type a string": "83a474797065a132a46461746191a161a36e7370a12f",
  "type null": "83a474797065c0a46461746191a161a36e7370a12f",
  "no namespace": "82a47479706502a46461746191a161",
  "namespace a number": "83a47479706502a46461746191a161a36e737001",
  "namespace null": "83a47479706502a46461746191a161a36e7370c0",
  "namespace undefined": "83a47479706502a46461746191a161a36e7370d40000",
  "namespace binary": "83a47479706502a46461746191a161a36e7370c4012f",
  "namespace empty": "83a47479706502a46461746191a161a36e7370a0",
  "namespace without a slash": "83a47479706502a46461746191a161a36e7370a161",
  "namespace with a comma": "83a47479706502a46461746191a161a36e7370a32f2c61",
  "namespace with a query": "83a47479706502a46461746191a161a36e7370a42f613f62",
  "connect with null": "83a47479706500a464617461c0a36e7370a12f",
  "connect with an array": "83a47479706500a46461746190a36e7370a12f",
  "connect with a string": "83a47479706500a464617461a161a36e7370a12f",
  "connect with binary": "83a47479706500a464617461c40161a36e7370a12f",
  "connect with a date": "83a47479706500a464617461d7000000000000000000a36e7370a12f",
  "connect with binary inside": "83a47479706500a46461746181a161c40162a36e7370a12f",
  "disconnect with null": "83a47479706501a464617461c0a36e7370a12f",
  "disconnect with undefined": "83a47479706501a464617461d40000a36e7370a12f",
  "disconnect with an array": "83a47479706501a46461746190a36e7370a12f",
  "connect error without data": "82a47479706504a36e7370a12f",
  "connect error with null": "83a47479706504a464617461c0a36e7370a12f",
  "connect error with an array": "83a47479706504a46461746190a36e7370a12f",
  "connect error with a date": "83a47479706504a464617461d7000000000000000000a36e7370a12f",
  "connect error with binary": "83a47479706504a464617461c40161a36e7370a12f",
  "event without data": "82a47479706502a36e7370a12f",
  "event with undefined": E + "d40000",
  "event with null": E + "c0",
  "event with a map": E + "80",
  "event with a string": E + "a161",
  "event with binary": E + "c40161",
  "event that is an extension": E + "d40561",
  "event without a name": E + "90",
  "event named null": E + "91c0",
  "event named undefined": E + "91d40000",
  "event named NaN": E + "91cb7ff8000000000000",
  "event named true": E + "91c3",
  "event named by an array": E + "9190",
  "event named by a map": E + "9180",
  "event named by binary": E + "91c40161",
  "event with a reserved name": E + "91a7636f6e6e656374",
  "ack without data": "83a47479706503a36e7370a12fa2696401",
  "ack with null": "84a47479706503a464617461c0a36e7370a12fa2696401",
  "ack with a map": "84a47479706503a46461746180a36e7370a12fa2696401",
  "empty": "",
  "a number": "01",
  "an array": "9102",
  "a string": "a131",
  "an empty map": "80",
  "a byte that means nothing": F("c1"),
  "a trailing byte": F("01") + "00",
  "cut in a string": F("a5616263"),
  "cut in a number": F("ce0001"),
  "cut in a length": F("da00"),
  "cut in a float": F("cb00000000"),
  "cut before the value": E + "92a161",
  "cut in binary data": F("c40561"),
  "cut in an extension": F("c7050561"),
  "cut in a date": F("d70000000000"),
  "cut in undefined": F("d400"),
  "an array of 4 billion": F("ddffffffff00"),
  "a map of 4 billion": F("dfffffffff00"),
  "a string of 4 GiB": F("dbffffffff00"),
  "binary data of 4 GiB": F("c6ffffffff00"),
  "a frame of 4 billion members": "dfffffffff00",
};

const read = (hex) => {
  let packet;
  const decoder = new msgpack.Decoder();
  decoder.on("decoded", (p) => (packet = p));
  try {
    decoder.add(Buffer.from(hex, "hex"));
  } catch (e) {
    return { error: e.message };
  }
  return partsOf(packet);
};

const entries = (packets, same) =>
  Object.entries(packets).map(([name, p]) => ({ name, same, frame: frameOf(p), ...partsOf(p) }));
console.log(
  JSON.stringify(
    {
      packets: [...entries(same, true), ...entries(other, false)],
      frames: Object.entries(frames).map(([name, frame]) => ({ name, frame, ...read(frame) })),
    },
    null,
    1,
  ),
);
