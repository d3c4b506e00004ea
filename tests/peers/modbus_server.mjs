// A Modbus TCP device on modbus-serial (JavaScript), as a program. It takes the same
// commands as libmodbus_server.py does, but for counters that tear.
//
// Run it: node tests/peers/modbus_server.mjs --tcp 0 --units 1,2
import readline from "node:readline";
import ModbusRTU from "modbus-serial";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const SIZE = 1200;
const units = new Map(
  option("units", "1").split(",").map((unit) => [
    Number(unit),
    Object.fromEntries(
      ["holding", "input", "coil", "discrete"].map((t) => [t, new Array(SIZE).fill(0)]),
    ),
  ]),
);
let rules = [];
let asked = [];
const counters = new Map();
const started = process.hrtime.bigint();
const now = () => Number(process.hrtime.bigint() - started) / 1e9;

const words = (value, count, order) => {
  const raw = Buffer.alloc(8);
  raw.writeBigUInt64BE(BigInt(value));
  const found = [];
  for (let n = 8 - 2 * count; n < 8; n += 2)
    found.push(order === "BADC" || order === "DCBA" ? raw.readUInt16LE(n) : raw.readUInt16BE(n));
  return order === "CDAB" || order === "DCBA" ? found.reverse() : found;
};

const count = (given) => {
  const table = units.get(given.unit ?? 1).holding;
  const one = { value: given.start ?? 0 };
  const modulo = given.modulo ?? 2 ** (16 * given.words);
  const show = () =>
    words(one.value, given.words, given.order ?? "ABCD").forEach((word, n) => {
      table[given.at + n] = word;
    });
  show();
  one.timer = setInterval(() => {
    one.value = (one.value + (given.step ?? 1)) % modulo;
    show();
  }, given.every_s * 1000);
  counters.set(given.name, one);
};

const values = () => Object.fromEntries([...counters].map(([name, one]) => [name, one.value]));

const command = (given) => {
  switch (given.do) {
    case "set":
      given.words.forEach((word, n) => {
        units.get(given.unit)[given.table][given.at + n] = word;
      });
      return null;
    case "get":
      return units.get(given.unit)[given.table].slice(given.at, given.at + given.count);
    case "rules":
      rules = given.rules;
      return null;
    case "count":
      count(given);
      return null;
    case "counts":
      return values();
    case "halt":
      for (const one of counters.values()) clearInterval(one.timer);
      return values();
    case "asked": {
      const told = asked;
      asked = [];
      return told;
    }
  }
};

const NEVER = new Promise(() => {});
const applies = (rule, unit, address, length, code) =>
  (rule.unit == null || rule.unit === unit) &&
  (rule.function == null || rule.function === code) &&
  (rule.first ?? 0) < address + length &&
  address <= (rule.last ?? 65535) &&
  (rule.times ?? 1) > 0 &&
  Math.random() < (rule.share ?? 1);

const answer = async (code, unit, address, length, work) => {
  asked.push([now(), unit, code, address, length]);
  if (!units.has(unit)) return NEVER;
  for (const rule of rules.filter((one) => applies(one, unit, address, length, code))) {
    if (rule.times != null) rule.times -= 1;
    if (rule.latency_s) await new Promise((done) => setTimeout(done, rule.latency_s * 1000));
    if (rule.silent) return NEVER;
    if (rule.exception) throw { modbusErrorCode: rule.exception };
  }
  return work(units.get(unit));
};
// It asks for an array, of which each element may be a promise; and one alone for one.
const many = (code, table) => (address, length, unit) => {
  const all = answer(code, unit, address, length, (there) =>
    there[table].slice(address, address + length),
  );
  return Array.from({ length }, (_, n) => all.then((found) => found[n]));
};
const one = (code, table) => (address, unit) =>
  answer(code, unit, address, 1, (there) => there[table][address]);
const writes = (code, table) => (address, value, unit) =>
  answer(code, unit, address, 1, (there) => {
    there[table][address] = value;
  });

const server = new ModbusRTU.ServerTCP(
  {
    getMultipleHoldingRegisters: many(3, "holding"),
    getMultipleInputRegisters: many(4, "input"),
    getHoldingRegister: one(3, "holding"),
    getInputRegister: one(4, "input"),
    getCoil: (address, unit) => answer(1, unit, address, 1, (there) => there.coil[address] === 1),
    getDiscreteInput: (address, unit) =>
      answer(2, unit, address, 1, (there) => there.discrete[address] === 1),
    setRegister: writes(6, "holding"),
    setCoil: writes(5, "coil"),
  },
  { host: "127.0.0.1", port: Number(option("tcp", "0")), unitID: 255 },
);
server.on("socketError", () => {});
server.on("serverError", (error) => {
  console.error(error);
  process.exit(1);
});
server.on("initialized", () => {
  console.log(JSON.stringify({ port: server._server.address().port }));
});
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", (line) => console.log(JSON.stringify(command(JSON.parse(line)) ?? null)));
lines.on("close", () => process.exit(0));
