# SPDX-License-Identifier: Apache-2.0
"""Domains and hosts with one thing missing each, for test_checks.py: a case is a guest on h1 that is
to move to h2. `both` are commands on both hosts, `here` and `there` on one; `after` are words of
virsh on h1 once it runs. A thing that can be there or not is two cases: one with what `there` gives h2,
and NAME-lacking without it."""
import os

from labtest import ROOT  # before the lab, whose path it sets  # noqa: F401 pylint: disable=unused-import
from ferrylab.paths import IN_LOCAL, IN_SHARED

ALWAYS = 1  # `make test` takes it, too
SECRET = "6a5bfb2c-6b3e-4d23-8d4d-0c2f4f0000%02d"


class Case:
    def __init__(self, name, devices="", rest="", level=0, **more):
        self.name, self.level = name, level
        self.devices, self.rest = devices, rest
        self.attributes = more.pop("attributes", "")
        self.both, self.here = more.pop("both", []), more.pop("here", [])
        self.there, self.after = more.pop("there", []), more.pop("after", [])
        self.clean = more.pop("clean", [])
        self.memory = more.pop("memory", 32)
        self.flags = more.pop("flags", [])  # of ferry
        self.virsh = more.pop("virsh", [])  # the same of virsh
        self.reason = more.pop("reason", None)  # part of what check says where it refuses
        self.own = more.pop("own", False)  # Ferry's own limit: libvirt would move it
        if more:
            raise TypeError(f"{name}: {more}")

    def fill(self, text):
        for word, value in (("name", self.name), ("shared", IN_SHARED), ("local", IN_LOCAL)):
            text = text.replace("{%s}" % word, value)
        return text

    def guest(self):
        overlay = self.fill(f"<domain {self.attributes}>{self.rest}"
                            f"<devices>{self.devices}</devices></domain>")
        return {"name": self.name, "kernel": "bare", "memory": self.memory, "vcpus": 1, "rate": 1.0,
                "working_set": 4, "pattern": "uniform", "disk": "none", "labels": {},
                "namespace": "default", "persistent": True, "overlay": overlay}


def pair(name, reason, **more):
    """With it, and without it."""
    there = more.pop("there")
    level = more.pop("level", 0)
    lacking = {**more, "reason": reason, "level": level, "there": more.pop("instead", [])}
    lacking.pop("instead", None)
    more = {k: v for k, v in more.items() if k != "instead"}
    return [Case(name, level=level, there=there, **more), Case(f"{name}-lacking", **lacking)]


def give(path, size="1M"):
    return f"mkdir -p $(dirname {path}) && truncate -s {size} {path}"


def define(kind, xml, *more):
    """Through virsh, whose XML comes from a file."""
    return " && ".join([f"cat > /tmp/{{name}}.{kind} <<'END'\n{xml}\nEND\n"
                        f"virsh {kind}-define /tmp/{{name}}.{kind}", *more])


def disk(source, device="disk", name="vda", bus="virtio", kind="file", driver="raw", more=""):
    return (f"<disk type='{kind}' device='{device}'><driver name='qemu' type='{driver}'/>{source}"
            f"<target dev='{name}' bus='{bus}'/>{more}</disk>")


def network_card(kind, source):
    return f"<interface type='{kind}'><source {source}/><model type='virtio'/></interface>"


BRIDGE = "ip link add {name} type bridge && ip link set {name} up"
NET = "<network><name>{name}</name><forward mode='bridge'/><bridge name='lb-%s'/></network>"
NET_BRIDGE = "ip link add lb-%s type bridge; ip link set lb-%s up"
POOL = "<pool type='dir'><name>{name}</name><target><path>{shared}/{name}</path></target></pool>"
START_POOL = "virsh pool-start {name}"
VNC = "<graphics type='vnc' %s/><video><model type='cirrus'/></video>"
QEMU = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"


def networks():
    yield from pair("bridge", "BridgeMissing", level=ALWAYS, here=[BRIDGE], there=[BRIDGE],
                    devices=network_card("bridge", "bridge='{name}'"))
    made = NET_BRIDGE % ("n", "n")
    yield from pair("network", "NetworkMissing", level=ALWAYS, both=[made],
                    devices=network_card("network", "network='{name}'"),
                    here=[define("net", NET % "n", "virsh net-start {name}")],
                    there=[define("net", NET % "n", "virsh net-start {name}")])
    made = NET_BRIDGE % ("i", "i")
    yield Case("network-inactive", network_card("network", "network='{name}'"), level=ALWAYS,
               both=[made], here=[define("net", NET % "i", "virsh net-start {name}")],
               there=[define("net", NET % "i")], reason="NetworkMissing")
    yield Case("network-bridge-lacking", network_card("network", "network='{name}'"),
               here=[NET_BRIDGE % ("b", "b"), define("net", NET % "b", "virsh net-start {name}")],
               there=[define("net", NET % "b", "virsh net-start {name}")], reason="NetworkMissing")
    group = NET.replace("</network>", "<portgroup name='blue'/></network>")
    made = NET_BRIDGE % ("g", "g")
    yield from pair("portgroup", None, both=[made],
                    devices=network_card("network", "network='{name}' portgroup='blue'"),
                    here=[define("net", group % "g", "virsh net-start {name}")],
                    there=[define("net", group % "g", "virsh net-start {name}")],
                    instead=[define("net", NET % "g", "virsh net-start {name}")])


def storage():
    volume = disk("<source pool='{name}' volume='disk.img'/>", kind="volume")
    files = "mkdir -p {shared}/{name} && truncate -s 4M {shared}/{name}/disk.img"
    yield from pair("pool", "PoolMissing", level=ALWAYS, devices=volume,
                    here=[files, define("pool", POOL, START_POOL)],
                    there=[define("pool", POOL, START_POOL)])
    yield Case("pool-inactive", volume, here=[files, define("pool", POOL, START_POOL)],
               there=[define("pool", POOL)], reason="PoolMissing", level=ALWAYS)
    elsewhere = POOL.replace("{shared}/{name}", "{local}/{name}")
    yield Case("volume-lacking", volume, here=[files, define("pool", POOL, START_POOL)],
               there=["mkdir -p {local}/{name}", define("pool", elsewhere, START_POOL)],
               reason="VolumeMissing")
    iso = disk("<source file='{local}/{name}/cd.iso'/>", "cdrom", "hdc", "ide", more="<readonly/>")
    made = give("{local}/{name}/cd.iso")
    yield from pair("iso", "FileMissing", level=ALWAYS, devices=iso, here=[made], there=[made])
    optional = iso.replace("cd.iso'", "cd.iso' startupPolicy='optional'")
    yield Case("iso-optional", optional, here=[made])
    both = disk("<source file='{shared}/{name}.img'/>")
    yield Case("cdrom-empty", disk("", "cdrom", "hdc", "ide", more="<readonly/>"))
    yield Case("iso-shared", iso.replace("{local}", "{shared}"),
               here=[give("{shared}/{name}/cd.iso")])
    yield Case("disk-shared", both, here=["truncate -s 4M {shared}/{name}.img"])
    local = disk("<source file='{local}/{name}.img'/>")
    made = "truncate -s 4M {local}/{name}.img"
    yield Case("disk-local", local, here=[made], reason="Migration without shared storage")
    copy = {"flags": ["--copy-storage-all"], "virsh": ["--copy-storage-all"]}
    yield Case("disk-copied", local, here=[made], there=[made], **copy)
    yield Case("disk-smaller", local, here=[made], there=["truncate -s 2M {local}/{name}.img"],
               reason="DiskMismatch", **copy)
    yield Case("snapshots", disk("<source file='{shared}/{name}.img'/>", driver="qcow2"),
               here=["qemu-img create -q -f qcow2 {shared}/{name}.img 8M"], level=ALWAYS,
               after=["snapshot-create-as {name} sunday"], reason="SnapshotsNotLiveMigratable",
               clean=["snapshot-delete {name} sunday --metadata"])
    yield Case("block-job", both, here=["truncate -s 8M {shared}/{name}.img"], level=ALWAYS,
               after=["blockcopy {name} vda {shared}/{name}-copy.img --transient-job --wait"],
               reason="BlockJobNotLiveMigratable")


def secrets():
    image = "{shared}/{name}.luks"
    make = (f"printf 0123456789abcdef > /tmp/key; qemu-img create -q -f luks --object "
            f"secret,id=k,file=/tmp/key -o key-secret=k,iter-time=10 {image} 4M")
    for number, (name, value, reason) in enumerate((("secret", True, None),
                                                    ("secret-lacking", None, "SecretMissing"),
                                                    ("secret-empty", False, "SecretMissing"))):
        uuid, uuid2 = SECRET % number, SECRET % (number + 10)
        xml = (f"<secret ephemeral='no' private='yes'><uuid>{uuid}</uuid>"
               f"<usage type='volume'><volume>{image}</volume></usage></secret>")
        full = define("secret", xml, f"virsh secret-set-value {uuid} --file /tmp/key --plain")
        key = "printf 0123456789abcdef > /tmp/key"
        there = [key, full] if value else [define("secret", xml)] if value is False else []
        if number < 2:
            yield Case(name.replace("secret", "secret-usage"), disk(
                f"<source file='{image}'><encryption format='luks'><secret type='passphrase' "
                f"usage='{image}'/></encryption></source>"), here=[make, full.replace(uuid, uuid2)],
                there=[t.replace(uuid, uuid2) for t in there], reason=reason)
        yield Case(name, disk(
            f"<source file='{image}'><encryption format='luks'><secret type='passphrase' "
            f"uuid='{uuid}'/></encryption></source>"), here=[make, full], there=there, reason=reason,
            level=ALWAYS if value is not None else 0)


def files():
    made = give("{local}/{name}/rom.bin", "64K")
    yield from pair("commandline", "FileMissing", attributes=QEMU, here=[made], there=[made], rest=(
        "<qemu:commandline><qemu:arg value='-fw_cfg'/>"
        "<qemu:arg value='name=opt/zoo,file={local}/{name}/rom.bin'/></qemu:commandline>"))
    log = "<serial type='pty'><log file='{local}/{name}/serial.log'/></serial>"
    yield from pair("log", "DirectoryMissing", devices=log, here=["mkdir -p {local}/{name}"],
                    there=["mkdir -p {local}/{name}"], level=ALWAYS)
    serial = "<serial type='file'><source path='{local}/{name}/out'/></serial>"
    yield from pair("serial-file", "DirectoryMissing", devices=serial,
                    here=["mkdir -p {local}/{name}"], there=["mkdir -p {local}/{name}"])
    made = give("{local}/{name}/vars.fd", "256K")
    nvram = ("<os><type arch='x86_64' machine='pc'>hvm</type><loader readonly='yes' type='pflash'>"
             "/usr/share/seabios/bios-256k.bin</loader><nvram template='{local}/{name}/vars.fd'>"
             "/var/lib/libvirt/qemu/nvram/{name}.fd</nvram></os>")
    yield from pair("nvram", "FileMissing", rest=nvram, here=[made], there=[made])
    rom = "cp /usr/share/seabios/bios-256k.bin {local}/{name}.bin"
    loader = ("<os><type arch='x86_64' machine='pc'>hvm</type>"
              "<loader readonly='yes' type='rom'>{local}/{name}.bin</loader></os>")
    yield from pair("loader", "FileMissing", rest=loader, here=[rom], there=[rom])
    card = ("<interface type='ethernet'><model type='virtio'/>"
            "<rom file='{local}/{name}/rom.bin'/></interface>")
    made = give("{local}/{name}/rom.bin", "64K")
    yield from pair("rom", "FileMissing", devices=card, here=[made], there=[made])
    random = "<rng model='virtio'><backend model='random'>{local}/{name}</backend></rng>"
    made = "mknod {local}/{name} c 1 9"
    yield from pair("rng", "FileMissing", devices=random, here=[made], there=[made])


    socket = "socat UNIX-LISTEN:{local}/{name}.sock,fork EXEC:cat >/dev/null 2>&1 & sleep 0.3"
    channel = ("<channel type='unix'><source mode='connect' path='{local}/{name}.sock'/>"
               "<target type='virtio' name='zoo'/></channel>")
    yield from pair("channel", "FileMissing", devices=channel, here=[socket], there=[socket])
    shared = ("<filesystem type='mount'><source dir='{local}/{name}'/><target dir='s'/>"
              "</filesystem>")
    made = "mkdir -p {local}/{name}"
    yield from pair("filesystem", "DirectoryMissing", devices=shared, here=[made], there=[made])


def graphics():
    address = "ip addr add 192.168.77.%d/32 dev lo"
    for number, name, there in ((7, "listen", [address % 7]), (8, "listen-lacking", [])):
        yield Case(name, VNC % f"autoport='yes' listen='192.168.77.{number}'", level=ALWAYS,
                   here=[address % number], there=there, reason=None if there else "AddressMissing")
    port = VNC % "autoport='no' port='5981' listen='127.0.0.1'"
    yield Case("port", port)
    port = VNC % "autoport='no' port='5982' listen='127.0.0.1'"
    busy = "socat TCP-LISTEN:5982,bind=127.0.0.1,fork EXEC:true >/dev/null 2>&1 & sleep 0.3"
    yield Case("port-taken", port, there=[busy], reason="PortTaken", level=ALWAYS)
    other = busy.replace("5982", "5983").replace("127.0.0.1", "127.0.0.2")
    yield Case("port-other-address", port.replace("5982", "5983"), there=[other])
    every = busy.replace("5982", "5984").replace(",bind=127.0.0.1", "")
    yield Case("port-taken-everywhere", port.replace("5982", "5984"), there=[every],
               reason="PortTaken")
    yield Case("listen-any", VNC % "autoport='yes' listen='0.0.0.0'")


def definitions():
    yield Case("plain", level=ALWAYS)
    yield Case("paused", after=["suspend {name}"], flags=["--post-copy"])
    other = ("virsh -q dumpxml --inactive {name} 2>/dev/null; u=$(cat {shared}/{name}.uuid); cat > "
             "/tmp/{name}.dom <<END\n<domain type='qemu'><name>%s</name><uuid>$u</uuid>"
             "<memory>1024</memory><os><type>hvm</type></os></domain>\nEND\n"
             "virsh define /tmp/{name}.dom")
    uuid = "<uuid>6a5bfb2c-6b3e-4d23-8d4d-0c2f4f0001%02d</uuid>"
    give_uuid = "printf 6a5bfb2c-6b3e-4d23-8d4d-0c2f4f0001%02d > {shared}/{name}.uuid"
    yield Case("uuid-elsewhere", rest=uuid % 1, here=[give_uuid % 1], there=[other % "quite-another"],
               reason="UUIDTaken", level=ALWAYS)
    yield Case("uuid-defined", rest=uuid % 2, here=[give_uuid % 2], there=[other % "{name}"])
    name = ("cat > /tmp/{name}.dom <<END\n<domain type='qemu'><name>{name}</name><memory>1024</memory>"
            "<os><type>hvm</type></os></domain>\nEND\nvirsh define /tmp/{name}.dom")
    yield Case("name-taken", there=[name], reason="domain named")


def devices():
    yield Case("video-virtio", "<video><model type='virtio'/></video>")
    yield Case("filesystem-9p", "<filesystem type='mount'><source dir='{shared}'/><target dir='s'/>"
               "</filesystem>")
    vfat = ("<disk type='dir' device='disk'><driver name='qemu' type='fat'/><source dir='{shared}/{name}'/>"
            "<target dev='vdb' bus='virtio'/><readonly/></disk>")
    yield Case("vvfat", vfat, here=["mkdir -p {shared}/{name}"])
    yield Case("vvfat-lacking", vfat.replace("{shared}", "{local}"),
               here=["mkdir -p {local}/{name}"], reason="DirectoryMissing")
    yield Case("unmigratable", attributes=QEMU, reason="DeviceNotLiveMigratable", rest=(
        "<qemu:commandline><qemu:arg value='-device'/><qemu:arg value='ivshmem-plain,memdev=m'/>"
        "<qemu:arg value='-object'/><qemu:arg value='memory-backend-ram,id=m,size=1M,share=on'/>"
        "</qemu:commandline>"))
    yield Case("memory-file", rest="<memoryBacking><source type='file'/></memoryBacking>")
    yield Case("memory-large", memory=64)
    tpm = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"
    del tpm  # a host of the lab has no swtpm


def cases():
    every = [c for part in (networks, storage, secrets, files, graphics, definitions, devices)
             for c in part()]
    wanted = os.environ.get("FERRY_CHECKS", "")
    if wanted == "all":
        return every
    if wanted:
        return [c for c in every if c.name in wanted.split()]
    return [c for c in every if c.level == ALWAYS]
