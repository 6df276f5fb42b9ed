"""What outlives the process: kill -9 at any time, SIGTERM with manners, migrations from two sides at once."""

import signal
import subprocess
import time
import unittest

from support.case import Story, WakeCase
from support.program import program_path
from support.waiting import scaled
from support.wire import DISCONNECT, Wire

APNS_TOKEN, FCM_TOKEN = "ab" * 32, "fcm:survivor"
TOPIC = "/home/CAM1/motion"


class Survival(WakeCase):
    def test_sessions_queues_and_retained_messages_survive_kill_9(self):
        gateway = self.make_gateway()
        login = ("api-key", Story(gateway).api_key)
        with Wire(gateway.mqtt_port) as wire:
            wire.connect("sleeper", *login, clean=False)
            wire.subscribe("dreams/#")
            wire.disconnect()
        with Wire(gateway.mqtt_port) as wire:
            wire.connect("teller", *login)
            for number in range(20):
                wire.publish("dreams/of/钱", f"dream {number}", packet_id=number + 1)
            wire.publish("kept/钱", "kept", retain=True)
            gateway.kill()
        gateway.start()
        with Wire(gateway.mqtt_port) as wire:
            self.assertTrue(wire.connect("sleeper", *login, clean=False).session_present)
            self.assertEqual([wire.read_message().payload.decode() for _ in range(20)],
                             [f"dream {number}" for number in range(20)])
            wire.subscribe("kept/#")
            message = wire.read_message()
            self.assertEqual((message.topic, message.payload, message.retain), ("kept/钱", b"kept", True))

    def test_what_was_acknowledged_before_the_kill_does_not_come_again(self):
        gateway = self.make_gateway()
        login = ("api-key", Story(gateway).api_key)
        with Wire(gateway.mqtt_port) as wire:
            wire.connect("reader", *login, clean=False)
            wire.subscribe("news")
            wire.disconnect()
        with Wire(gateway.mqtt_port) as writer:
            writer.connect("writer", *login)
            writer.publish("news", "read")
            with Wire(gateway.mqtt_port) as reader:
                reader.connect("reader", *login, clean=False)
                self.assertEqual(reader.read_message().payload, b"read")
                reader.ping()
                # Settled in order: when this is durable, so is the acknowledgement before it.
                reader.disconnect()
            writer.publish("news", "unread", packet_id=2)
            gateway.kill()
        gateway.start()
        with Wire(gateway.mqtt_port) as reader:
            reader.connect("reader", *login, clean=False)
            self.assertEqual(reader.read_message().payload, b"unread")

    def test_a_notification_that_could_not_leave_survives_kill_9(self):
        apns, fcm = self.make_simulators()
        gateway = self.make_gateway(apps=[apns.app(), fcm.app()])
        story = Story(gateway)
        story.add_phone("iphone", "apns", APNS_TOKEN)
        story.add_phone("android", "fcm", FCM_TOKEN)
        secret = story.add_camera("CAM1")
        story.pair("CAM1", TOPIC)
        for simulator, token in ((apns, APNS_TOKEN), (fcm, FCM_TOKEN)):
            self.assertEqual(simulator.phone(token, shown=1)["shown"], 1, "told of the pairing")
        apns.down()
        fcm.down()
        with Wire(gateway.mqtt_port) as camera:
            camera.connect("CAM1", "CAM1", secret)
            for number in range(5):
                camera.publish(TOPIC, f"motion {number}", packet_id=number + 1)
            gateway.kill()
        apns.up()
        fcm.up()
        gateway.start()
        expected = sorted(message["id"] for message in story.inbox())
        self.assertEqual(len(expected), 5)
        for simulator, token in ((apns, APNS_TOKEN), (fcm, FCM_TOKEN)):
            screen = simulator.phone(token, shown=1 + 5)
            shown = [n["wake_id"] for n in screen["notifications"][1:]]
            self.assertEqual(sorted(shown), expected, "every message once on the screen")

    def test_sigterm_ends_in_ten_seconds_and_tells_clients_why(self):
        gateway = self.make_gateway()
        login = ("api-key", Story(gateway).api_key)
        with Wire(gateway.mqtt_port, 5) as modern, Wire(gateway.mqtt_port, 4) as older:
            modern.connect("modern", *login)
            older.connect("older", *login)
            before = time.monotonic()
            gateway.program.signal(signal.SIGTERM)
            last = modern.expect_end()[-1]
            self.assertEqual((last.type, last.body[0]), (DISCONNECT, 0x8B), "server shutting down")
            self.assertEqual(older.expect_end(), [])
            self.assertEqual(gateway.program.wait(), 0)
            self.assertLess(time.monotonic() - before, scaled(10))

    def test_sigterm_loses_nothing_that_was_acknowledged(self):
        gateway = self.make_gateway()
        login = ("api-key", Story(gateway).api_key)
        with Wire(gateway.mqtt_port) as wire:
            wire.connect("sleeper", *login, clean=False)
            wire.subscribe("x")
            wire.disconnect()
        with Wire(gateway.mqtt_port) as wire:
            wire.connect("teller", *login)
            wire.publish("x", "last words")
            gateway.program.signal(signal.SIGTERM)
            self.assertEqual(gateway.program.wait(), 0)
        gateway.start()
        with Wire(gateway.mqtt_port) as wire:
            wire.connect("sleeper", *login, clean=False)
            self.assertEqual(wire.read_message().payload, b"last words")

    def test_two_migrations_at_once(self):
        gateway = self.make_gateway(start=False)
        cluster_url = gateway.sections["database"]["url"]
        subprocess.run(["psql", "-Xq", "-c", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public", cluster_url],
                       check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        command = [program_path("wakemq"), "migrate", "--config", gateway.config]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                for _ in range(2)]
        for process in both:
            output, _ = process.communicate(timeout=scaled(60))
            self.assertEqual(process.returncode, 0, output)
        self.assertIn("version", gateway.command("migrate", "--check"))
        gateway.start()


if __name__ == "__main__":
    unittest.main()
