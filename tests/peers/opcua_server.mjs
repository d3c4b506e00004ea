// A machine with an OPC UA server (node-opcua) for tests, which keeps the truth about the
// parts that it made. It is told what to do over HTTP on loopback; see opcua_peer.py.
import http from "node:http";
import opcua from "node-opcua";
import { HistoryEvent, HistoryEventFieldList } from "node-opcua-types";

const URI = "urn:peer:line";
const given = JSON.parse(process.argv[2] ?? "{}");
const {
    DataType, OPCUACertificateManager, OPCUAServer, StatusCodes, Variant,
} = opcua;
const machines = new Map();
const logins = []; // each try to log in: who, and when (ms)

async function makeServer() {
    const managers = {};
    if (given.folder) {
        for (const [name, accept] of [["server", given.acceptClients ?? true], ["user", false]]) {
            const store = new OPCUACertificateManager({
                rootFolder: `${given.folder}/${name}`,
                automaticallyAcceptUnknownCertificate: accept,
            });
            await store.initialize();
            for (const der of (name === "user" && given.trustedUsers) || []) {
                await store.trustCertificate(Buffer.from(der, "base64"));
            }
            managers[`${name}CertificateManager`] = store;
        }
    }
    const isSecure = given.certificateFile !== undefined;
    return new OPCUAServer({
        ...managers,
        port: given.port ?? 0,
        host: "127.0.0.1",
        hostname: "127.0.0.1",
        resourcePath: "/line",
        ...(isSecure && { certificateFile: given.certificateFile, privateKeyFile: given.privateKeyFile }),
        securityPolicies: (given.policies ?? ["None"]).map((name) => opcua.SecurityPolicy[name.replace("Sha256Rsa", "_Sha256_Rsa")]),
        securityModes: (given.modes ?? ["None"]).map((name) => opcua.MessageSecurityMode[name]),
        allowAnonymous: given.user === undefined,
        userManager: {
            isValidUser: (user, password) => {
                logins.push({ user, at: Date.now() });
                return user === given.user && password === given.password;
            },
        },
        serverInfo: { applicationUri: "urn:peer:server" },
        isAuditing: false,
        serverCapabilities: { operationLimits: given.limits ?? {}, minSupportedSampleRate: given.sampleRate ?? 0 },
    });
}

class Machine {
    // Its counters, made new when a PLC is loaded, belong to the machine and go on.
    constructor(space, { name, everyMs = 0, hasHistory = false, samplingMs = 0, tags = 0, serial = 0, events = 0, keepsEvents = false }) {
        Object.assign(this, { space, name, everyMs, hasHistory, samplingMs, tags, serial, events, keepsEvents });
        const scrap = Math.floor(serial / 10);
        this.values = {
            GoodCount: serial - scrap, ScrapCount: scrap, Serial: serial, StateCurrent: 4, Heartbeat: 0,
        };
        this.nodes = {};
        this.skewMs = 0;
        this.namespace = space.getNamespaceIndex(URI);
    }

    install() {
        const own = this.space.getNamespace(this.namespace);
        this.folder = own.addObject({
            browseName: this.name, nodeId: `s=${this.name}`, eventNotifier: this.keepsEvents ? 5 : 1,
            organizedBy: this.space.rootFolder.objects, eventSourceOf: this.space.rootFolder.objects.server,
        });
        if (this.keepsEvents) this.keepEvents();
        this.alarm = own.instantiateAlarmCondition("DiscreteAlarmType", {
            browseName: "Jammed", nodeId: `s=${this.name}.Jammed`, componentOf: this.folder,
            conditionSource: this.folder, inputNode: opcua.NodeId.nullNodeId,
        });
        for (const name of Object.keys(this.values)) this.addNode(name);
        for (let n = 0; n < this.tags; n += 1) {
            this.values[`Tag${n}`] = n;
            this.addNode(`Tag${n}`);
        }
        const method = own.addMethod(this.folder, {
            browseName: "Reset", nodeId: `s=${this.name}.Reset`,
            inputArguments: [{ name: "Count", dataType: DataType.UInt32 }],
            outputArguments: [{ name: "Before", dataType: DataType.UInt32 }],
        });
        method.bindMethod((inputs, context, done) => {
            const before = this.values.GoodCount;
            this.set("GoodCount", inputs[0].value);
            done(null, {
                statusCode: StatusCodes.Good,
                outputArguments: [{ dataType: DataType.UInt32, value: before }],
            });
        });
        this.calls = [];
        const scalar = (name, dataType) => ({ name, dataType });
        const move = own.addMethod(this.folder, {
            browseName: "Move", nodeId: `s=${this.name}.Move`,
            inputArguments: [
                scalar("Axis", DataType.String), scalar("Position", DataType.Double), scalar("Fast", DataType.Boolean),
                { name: "Steps", dataType: DataType.Int16, valueRank: 1, arrayDimensions: [3] }, scalar("When", DataType.DateTime),
            ],
            outputArguments: [scalar("Reached", DataType.Double), scalar("Log", DataType.String), { name: "All", dataType: DataType.Int16, valueRank: 1 }],
        });
        move.bindMethod((inputs, context, done) => {
            const [axis, position, fast, steps, when] = inputs.map((one) => one.value);
            this.calls.push({ axis, position, fast, steps: [...steps], when });
            done(null, {
                statusCode: axis === "locked" ? StatusCodes.BadInvalidState : StatusCodes.Good,
                outputArguments: [
                    { dataType: DataType.Double, value: position / 2 }, { dataType: DataType.String, value: axis },
                    { dataType: DataType.Int16, arrayType: opcua.VariantArrayType.Array, value: steps },
                ],
            });
        });
        // It is done at once, and answered late.
        const slow = own.addMethod(this.folder, {
            browseName: "Slow", nodeId: `s=${this.name}.Slow`,
            inputArguments: [scalar("Id", DataType.UInt32), scalar("AfterMs", DataType.UInt32)], outputArguments: [],
        });
        slow.bindMethod((inputs, context, done) => {
            this.calls.push({ id: inputs[0].value });
            setTimeout(() => done(null, { statusCode: StatusCodes.Good, outputArguments: [] }), inputs[1].value);
        });
        if (this.everyMs) this.timer = setInterval(() => this.make(1), this.everyMs);
    }

    addNode(name) {
        const node = this.space.getNamespace(this.namespace).addVariable({
            browseName: name, nodeId: `s=${this.name}.${name}`, componentOf: this.folder,
            dataType: "UInt32", minimumSamplingInterval: this.samplingMs,
        });
        this.nodes[name] = node;
        if (this.hasHistory) this.space.installHistoricalDataNode(node, { maxOnlineValues: 5000 });
        this.set(name, this.values[name]);
        node.on("value_changed", (data) => { this.values[name] = data.value.value; });
    }

    removeNode(name) {
        this.space.deleteNode(this.nodes[name]);
        delete this.nodes[name];
    }

    set(name, value, { statusCode = "Good", isTimeless = false } = {}) {
        this.values[name] = value;
        const node = this.nodes[name];
        if (!node) return;
        const at = isTimeless ? null : new Date(Date.now() + this.skewMs);
        node.setValueFromSource(new Variant({ dataType: DataType.UInt32, value }), StatusCodes[statusCode], at);
    }

    make(count) {
        for (let n = 0; n < count; n += 1) {
            this.serial += 1;
            const isScrap = this.serial % 10 === 0;
            this.set(isScrap ? "ScrapCount" : "GoodCount", this.values[isScrap ? "ScrapCount" : "GoodCount"] + 1);
            this.set("Serial", this.serial);
        }
    }

    // node-opcua has no history of events by itself: what it sends is still its own.
    keepEvents() {
        const kept = [];
        this.folder.on("event", (data) => kept.push(data));
        this.folder.historyRead = async (context, details, range, encoding, { continuationPoint }) => {
            if (isChoice(details.filter)) return new opcua.HistoryReadResult({ statusCode: StatusCodes.BadEventFilterInvalid });
            const first = continuationPoint ? Number(continuationPoint.toString()) : 0;
            const known = kept.filter((one) => one.time.value >= details.startTime && one.time.value <= details.endTime
                && opcua.checkFilter(new opcua.FilterContextOnAddressSpace(context, one), details.filter.whereClause));
            const page = known.slice(first, first + details.numValuesPerNode);
            const events = page.map((one) => new HistoryEventFieldList({
                eventFields: opcua.extractEventFields(context, details.filter.selectClauses, one),
            }));
            const next = first + page.length;
            return new opcua.HistoryReadResult({
                statusCode: StatusCodes.Good,
                continuationPoint: next < known.length ? Buffer.from(String(next)) : undefined,
                historyData: new HistoryEvent({ events }),
            });
        };
    }

    jam(isJammed, text) {
        if (isJammed) this.alarm.activateAlarm();
        else this.alarm.deactivateAlarm(false);
        this.alarm.raiseNewCondition({ message: text, severity: isJammed ? 700 : 100, retain: isJammed, quality: StatusCodes.Good });
    }

    // As a server does that has no room left in its queue (OPC UA Part 4, 7.22.3).
    overflow() {
        this.folder.raiseEvent("EventQueueOverflowEventType", {
            message: { dataType: DataType.LocalizedText, value: { text: "too many" } },
            severity: { dataType: DataType.UInt16, value: 1 },
        });
    }

    tellCycles(count) {
        for (let n = 0; n < count; n += 1) {
            this.events += 1;
            this.cycle(String(this.events), this.events % 10 === 0);
        }
    }

    tellEvery(ms) {
        clearInterval(this.telling);
        if (ms) this.telling = setInterval(() => this.tellCycles(1), ms);
    }

    cycle(serial, scrap, severity = 100) {
        const type = this.space.findEventType("CycleCompleteEventType", this.namespace);
        this.folder.raiseEvent(type, {
            message: { dataType: DataType.LocalizedText, value: { text: "cycle complete" } },
            sourceName: { dataType: DataType.String, value: this.name },
            severity: { dataType: DataType.UInt16, value: severity },
            serial: { dataType: DataType.String, value: serial },
            scrap: { dataType: DataType.Boolean, value: scrap },
        });
    }

    remove() {
        clearInterval(this.timer);
        clearInterval(this.telling);
        this.space.deleteNode(this.folder);
    }
}

// A press that asks by handshake, and keeps to the four phases by itself. What it has seen
// of the other side is its truth: each rise of the ack, by boot and number of the request.
class Press {
    constructor(space, { name, types = {} }) {
        Object.assign(this, { space, name });
        this.types = {
            Request: "Boolean", Key: "UInt16", Boot: "UInt16", Good: "UInt16", Scrap: "UInt16",
            Ack: "Boolean", Result: "UInt16", ...types,
        };
        this.nodes = {};
        this.acks = {};
        this.results = [];
        this.todo = [];
    }

    install() {
        const own = this.space.getNamespace(this.space.getNamespaceIndex(URI));
        this.folder = own.addObject({
            browseName: this.name, nodeId: `s=${this.name}`, organizedBy: this.space.rootFolder.objects,
        });
        for (const name of Object.keys(this.types)) this.addNode(name);
        this.set("Boot", 1);
        this.goOn = setInterval(() => this.step(), 5);
    }

    addNode(name, value) {
        const dataType = this.types[name];
        const node = this.space.getNamespace(this.space.getNamespaceIndex(URI)).addVariable({
            browseName: name, nodeId: `s=${this.name}.${name}`, componentOf: this.folder,
            dataType, minimumSamplingInterval: 0,
        });
        this.nodes[name] = node;
        this.set(name, value ?? (dataType === "Boolean" ? false : 0));
        if (name === "Ack") node.on("value_changed", (data) => this.heardAck(data.value.value));
    }

    removeNode(name) {
        this.space.deleteNode(this.nodes[name]);
        delete this.nodes[name];
    }

    flap({ name, times }) { // another value each time that it is looked at, so often
        const node = this.nodes[name];
        const honest = node.readValue.bind(node);
        this.flaps = times;
        node.readValue = (...how) => {
            const told = honest(...how);
            if (this.flaps <= 0) return told;
            this.flaps -= 1;
            const value = this.flaps % 2 === 1;
            return new opcua.DataValue({ ...told, value: new Variant({ dataType: told.value.dataType, value }) });
        };
    }

    get(name) { return this.nodes[name].readValue().value.value; }

    set(name, value) {
        this.nodes[name].setValueFromSource(new Variant({ dataType: DataType[this.types[name]], value }));
    }

    heardAck(isUp) {
        if (isUp && !this.wasUp) {
            const asked = `${this.get("Boot")}/${this.get("Key")}`;
            this.acks[asked] = (this.acks[asked] ?? 0) + 1;
            this.results.push(this.get("Result"));
        }
        this.wasUp = Boolean(isUp);
    }

    asks({ key, good = 1, scrap = 0 }) { // payload first, the request after it
        this.set("Key", key);
        this.set("Good", good);
        this.set("Scrap", scrap);
        this.set("Request", true);
    }

    // The request and its number at once, what they are about a while later: as a PLC does
    // whose programmer did not care.
    asksTorn({ key, good, tornMs }) {
        this.set("Key", key);
        this.set("Request", true);
        setTimeout(() => this.set("Good", good), tornMs);
    }

    step() { // through all four phases, cycle after cycle
        const [now] = this.todo;
        if (!now) return;
        const isUp = Boolean(this.get("Ack"));
        if (!now.isAsked && !isUp) {
            now.isAsked = true;
            this.asks(now);
        } else if (now.isAsked && !now.isDown && isUp) {
            now.isDown = true;
            this.set("Request", false);
        } else if (now.isDown && !isUp) {
            this.todo.shift();
        }
    }

    truth() {
        return {
            acks: this.acks, results: this.results, left: this.todo.length,
            values: Object.fromEntries(Object.keys(this.nodes).map((name) => [name, this.get(name)])),
        };
    }

    remove() {
        clearInterval(this.goOn);
        this.space.deleteNode(this.folder);
    }
}

let server;
const sessions = () => Object.values(server.engine._sessions);
const machineOf = ({ machine }) => {
    const found = machines.get(machine);
    if (!found) throw new Error(`no machine ${machine}`);
    return found;
};

const doings = {
    addMachine: (how) => {
        const machine = new Machine(server.engine.addressSpace, how);
        machine.install();
        machines.set(how.name, machine);
    },
    removeMachine: (how) => { machineOf(how).remove(); machines.delete(how.machine); },
    make: (how) => machineOf(how).make(how.count),
    set: (how) => machineOf(how).set(how.name, how.value, how),
    run: (how) => {
        const machine = machineOf(how);
        clearInterval(machine.timer);
        if (how.everyMs) machine.timer = setInterval(() => machine.make(1), how.everyMs);
    },
    churn: (how) => { // change every one of the many tags, so often; 0 stops it
        const machine = machineOf(how);
        clearInterval(machine.churning);
        if (!how.everyMs) return null;
        machine.changes ??= 0;
        machine.churning = setInterval(() => {
            for (let n = 0; n < machine.tags; n += 1) machine.set(`Tag${n}`, machine.values[`Tag${n}`] + 1);
            machine.changes += machine.tags;
        }, how.everyMs);
    },
    changes: (how) => machineOf(how).changes ?? 0,
    skew: (how) => { machineOf(how).skewMs = how.ms; },
    removeNode: (how) => machineOf(how).removeNode(how.name),
    addNode: (how) => machineOf(how).addNode(how.name),
    addPress: (how) => {
        const press = new Press(server.engine.addressSpace, how);
        press.install();
        machines.set(how.name, press);
    },
    asks: (how) => machineOf(how).asks(how),
    asksTorn: (how) => machineOf(how).asksTorn(how),
    flap: (how) => machineOf(how).flap(how),
    put: (how) => machineOf(how).set(how.name, how.value),
    givesUp: (how) => machineOf(how).set("Request", false),
    cycles: (how) => machineOf(how).todo.push(...how.cycles),
    restarts: (how) => { // the controller, in the middle of whatever it did
        const press = machineOf(how);
        press.todo = [];
        press.set("Request", false);
        press.set("Ack", false);
        press.set("Key", 0);
        press.set("Boot", press.get("Boot") + 1);
    },
    pressTruth: (how) => machineOf(how).truth(),
    cycle: (how) => machineOf(how).cycle(how.serial, how.scrap, how.severity),
    tellCycles: (how) => {
        machineOf(how).tellCycles(how.count);
        if (how.overflows) machineOf(how).overflow();
    },
    tell: (how) => machineOf(how).tellEvery(how.everyMs),
    calls: (how) => machineOf(how).calls,
    told: (how) => machineOf(how).events,
    jam: (how) => machineOf(how).jam(how.is, how.text),
    addEventType: (how) => addEventType(server.engine.addressSpace.getNamespace(URI), how.name),
    truth: (how) => { const { serial, values } = machineOf(how); return { serial, values }; },
    killSessions: () => {
        for (const session of sessions()) {
            server.engine.closeSession(session.authenticationToken, true, "Forcing");
        }
    },
    killSubscriptions: () => {
        for (const session of sessions()) {
            for (const subscription of session.publishEngine.subscriptions) {
                session.deleteSubscription(subscription.id);
            }
        }
    },
    sessions: () => sessions().map((session) => ({
        name: session.sessionName,
        isActivated: session.status !== "new",
        subscriptions: session.publishEngine.subscriptions.map((one) => one.monitoredItemCount),
    })),
    logins: () => logins,
};

function addEventType(own, name) {
    const type = own.addEventType({ browseName: name, nodeId: `s=${name}`, subtypeOf: "BaseEventType" });
    own.addVariable({ browseName: "Serial", propertyOf: type, dataType: "String", modellingRule: "Mandatory" });
    own.addVariable({ browseName: "Scrap", propertyOf: type, dataType: "Boolean", modellingRule: "Mandatory" });
}

// As servers do that choose nothing: told so by what they are asked for.
function refuseToChoose() {
    const { Subscription } = opcua;
    const honest = Subscription.prototype.preCreateMonitoredItem;
    Subscription.prototype.preCreateMonitoredItem = function (space, timestamps, request) {
        if (!isChoice(request.requestedParameters.filter)) return honest.call(this, space, timestamps, request);
        const statusCode = StatusCodes.BadMonitoredItemFilterUnsupported;
        return { createResult: new opcua.MonitoredItemCreateResult({ statusCode }) };
    };
}

const isChoice = (filter) => given.choosesNothing && filter?.whereClause?.elements?.length > 0;

async function start() {
    if (given.choosesNothing) refuseToChoose();
    server = await makeServer();
    await server.initialize();
    const space = server.engine.addressSpace;
    for (const uri of given.decoys ?? []) space.registerNamespace(uri);
    space.installAlarmsAndConditionsService();
    const own = space.registerNamespace(URI);
    addEventType(own, "CycleCompleteEventType");
    for (const [index, uri] of (given.decoys ?? []).entries()) {
        const decoy = space.getNamespace(uri);
        for (const id of given.decoyIds ?? []) {
            decoy.addVariable({
                browseName: id, nodeId: `s=${id}`, organizedBy: space.rootFolder.objects, dataType: "UInt32",
                value: { dataType: DataType.UInt32, value: 9999 + index },
            });
        }
    }
    for (const machine of given.machines ?? []) doings.addMachine(machine);
    for (const press of given.presses ?? []) doings.addPress(press);
    await server.start();

    const control = http.createServer((request, answer) => {
        let body = "";
        request.on("data", (chunk) => { body += chunk; });
        request.on("end", () => {
            const { do: what, ...how } = JSON.parse(body);
            let told;
            try {
                if (what === "freeze") { // answered first: nothing is, while it is frozen
                    setTimeout(() => { const until = Date.now() + how.ms; while (Date.now() < until); }, 20);
                } else {
                    told = doings[what](how);
                }
                answer.end(JSON.stringify({ told: told ?? null }));
            } catch (error) {
                answer.statusCode = 400;
                answer.end(JSON.stringify({ error: String(error) }));
            }
        });
    });
    control.listen(0, "127.0.0.1", () => {
        const { port } = server.endpoints[0];
        process.stdout.write(`${JSON.stringify({ port, control: control.address().port })}\n`);
    });
}

// It does not outlive the test that started it.
process.stdin.on("end", () => process.exit(0)).resume();
await start();
