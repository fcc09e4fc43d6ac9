# SPDX-License-Identifier: Apache-2.0
"""The libvirt domain of a lab guest, as XML."""

import hashlib
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from . import collector, net, paths

NAMESPACE_URI = "https://ferry.migration/v1"
PAGES_PER_MIB = 256
DISK_MIB = 64


def command_line(guest):
    """What the guest's kernel is told. Both guests read the ferry.* words."""
    words = [
        f"ferry.rate={round(guest['rate'] * PAGES_PER_MIB)}",
        f"ferry.ws={guest['working_set'] * PAGES_PER_MIB}",
        f"ferry.pattern={guest['pattern']}",
        f"ferry.disk={0 if guest['disk'] == 'none' else 1}",
    ]
    if guest["kernel"] == "linux":
        # No random wait for entropy, no reset after a panic: the console says why.
        words = ["console=ttyS0", "quiet", "loglevel=3", "panic=0", "random.trust_cpu=on",
                 "mitigations=off", "no_timer_check", "tsc=reliable"] + words
        if guest.get("net"):
            words.append(f"ferrynet={guest['net']}")
    return " ".join(words)


def disk_path(guest):
    """The disk's image as its host sees it; None without a disk."""
    return {
        "none": None,
        "shared": f"{paths.IN_SHARED}/disk-{guest['name']}.raw",
        "local": f"{paths.IN_LOCAL}/disk-{guest['name']}.raw",
    }[guest["disk"]]


def _metadata(guest):
    labels = "".join(
        f"\n      <ferry:label key={quoteattr(key)}>{escape(value)}</ferry:label>"
        for key, value in sorted(guest["labels"].items())
    )
    return f"""\
  <metadata>
    <ferry:vm xmlns:ferry="{NAMESPACE_URI}">
      <ferry:namespace>{escape(guest['namespace'])}</ferry:namespace>{labels}
    </ferry:vm>
  </metadata>"""


def _disk(guest):
    if guest["disk"] == "none":
        return ""
    return f"""
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source file={quoteattr(disk_path(guest))}/>
      <target dev='vda' bus='virtio'/>
    </disk>"""


def mac_address(guest):
    """Of the guest's interface; its own by its name."""
    digest = hashlib.sha256(guest["name"].encode()).digest()
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in digest[:3])


def _interface(guest):
    if not guest.get("net"):
        return ""
    return f"""
    <interface type='bridge'>
      <mac address={quoteattr(mac_address(guest))}/>
      <source bridge={quoteattr(net.GUESTS)}/>
      <model type='virtio'/>
    </interface>"""


def _cpu(kvm):
    # One model on all hosts, of which TCG emulates every feature.
    if kvm:
        return "<cpu mode='host-model'/>"
    return "<cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>"


# Of these a domain has one at most, or a list that replaces the lab's own.
_REPLACED = ("memballoon",)


def _overlay_devices(devices, more):
    usb = [c for c in more if c.tag == "controller" and c.get("type") == "usb"]
    for old in list(devices):
        if old.tag in _REPLACED and more.find(old.tag) is not None:
            devices.remove(old)
        elif usb and old.tag == "controller" and old.get("type") == "usb":
            devices.remove(old)
    devices.extend(list(more))


def overlaid(text, overlay):
    """The domain `text` with what the domain `overlay` has: its devices in addition, anything else
    in place of the first one's. What boots the guest (<kernel>, <cmdline>) stays."""
    domain, more = ElementTree.fromstring(text), ElementTree.fromstring(overlay)
    for child in more:
        old = domain.find(child.tag)
        if child.tag == "devices":
            _overlay_devices(old, child)
            continue
        if child.tag == "os":
            given = {c.tag for c in child}
            child.extend([c for c in old if c.tag not in given])
        if old is not None:
            domain.remove(old)
        domain.append(child)
    return ElementTree.tostring(domain, encoding="unicode")


def xml(guest, kernel, initrd, kvm):
    """kernel, initrd (or None): paths as the hosts see them."""
    plain = _plain_xml(guest, kernel, initrd, kvm)
    return overlaid(plain, guest["overlay"]) if guest.get("overlay") else plain


def _plain_xml(guest, kernel, initrd, kvm):
    initrd_line = f"\n    <initrd>{escape(initrd)}</initrd>" if initrd else ""
    return f"""\
<domain type='{'kvm' if kvm else 'qemu'}'>
  <name>{escape(guest['name'])}</name>
{_metadata(guest)}
  <memory unit='MiB'>{guest['memory']}</memory>
  <vcpu>{guest['vcpus']}</vcpu>
  <os>
    <type arch='x86_64' machine={quoteattr(guest.get('machine', 'pc'))}>hvm</type>
    <kernel>{escape(kernel)}</kernel>{initrd_line}
    <cmdline>{escape(command_line(guest))}</cmdline>
  </os>
  <features><acpi/><apic/></features>
  {_cpu(kvm)}
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>{_disk(guest)}{_interface(guest)}
    <controller type='usb' model='none'/>
    <serial type='unix'>
      <source mode='connect' path={quoteattr(collector.serial_path(guest['name']))}>
        <reconnect enabled='yes' timeout='1'/>
      </source>
      <target type='isa-serial' port='0'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""
