// A machine with an OPC UA server (node-opcua) for tests, which keeps the truth about the
// parts that it made. It is told what to do over HTTP on loopback; see opcua_peer.py.
import http from "node:http";
import opcua from "node-opcua";

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
    constructor(space, { name, everyMs = 0, hasHistory = false, samplingMs = 0, tags = 0, serial = 0 }) {
        Object.assign(this, { space, name, everyMs, hasHistory, samplingMs, tags, serial });
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
            browseName: this.name, nodeId: `s=${this.name}`, eventNotifier: 1,
            organizedBy: this.space.rootFolder.objects, eventSourceOf: this.space.rootFolder.objects.server,
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

    cycle(serial, scrap) {
        const type = this.space.findEventType("CycleCompleteEventType", this.namespace);
        this.folder.raiseEvent(type, {
            message: { dataType: DataType.LocalizedText, value: { text: "cycle complete" } },
            sourceName: { dataType: DataType.String, value: this.name },
            severity: { dataType: DataType.UInt16, value: 100 },
            serial: { dataType: DataType.String, value: serial },
            scrap: { dataType: DataType.Boolean, value: scrap },
        });
    }

    remove() {
        clearInterval(this.timer);
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
    cycle: (how) => machineOf(how).cycle(how.serial, how.scrap),
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
        subscriptions: session.publishEngine.subscriptions.map((one) => one.monitoredItemCount),
    })),
    logins: () => logins,
};

async function start() {
    server = await makeServer();
    await server.initialize();
    const space = server.engine.addressSpace;
    for (const uri of given.decoys ?? []) space.registerNamespace(uri);
    const own = space.registerNamespace(URI);
    const type = own.addEventType({ browseName: "CycleCompleteEventType", nodeId: "s=CycleCompleteEventType", subtypeOf: "BaseEventType" });
    own.addVariable({ browseName: "Serial", propertyOf: type, dataType: "String", modellingRule: "Mandatory" });
    own.addVariable({ browseName: "Scrap", propertyOf: type, dataType: "Boolean", modellingRule: "Mandatory" });
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
