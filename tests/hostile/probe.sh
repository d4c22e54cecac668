# Tries what an agent must not be able to do, and tells what worked: one line each.
# The "control" lines show that the probe itself works.
state=$1 folder=$2 home=$3 clone=$4 mark=$5
shift 5

reads() {
  if [ -d "$1" ]; then [ -z "$(ls -A "$1" 2>/dev/null)" ] || echo "read $1: $(ls -A "$1" | tr '\n' ' ')"
  elif [ -n "$(timeout 2 head -c 1 "$1" 2>/dev/null | tr '\0' .)" ]; then echo "read $1"
  fi
}
writes() { if (echo x > "$1/$mark") 2>/dev/null; then echo "wrote $1"; fi; }
does() { local what=$1; shift; if "$@" >/dev/null 2>&1; then echo "did $what"; fi; }

echo "== environment"
env
cat /proc/*/environ 2>/dev/null | tr '\0' '\n'
cat /proc/*/cmdline 2>/dev/null | tr '\0' ' '
echo
git config --list --show-origin
cat .git/config /mirror.git/config /etc/gitconfig ~/.git-credentials ~/.netrc ~/.ssh/* 2>/dev/null
cat "$home/.ssh/id_ed25519" "$folder"/secrets/* "$folder/agents.json" "$state/lanes/1/checkout/neighbour" 2>/dev/null
find "$state" ~/.claude -type f -exec cat {} + 2>/dev/null
cat /proc/self/mountinfo
set | grep -i -e key -e token -e secret

echo "== findings"
reads /repo/README.md
for path in "$home/.ssh/id_ed25519" "$home" ~/.ssh ~/.git-credentials "$folder" "$folder/agents.json" "$folder/secrets/model" \
  "$folder/secrets/service" "$folder/secrets/agent" "$folder/secrets/hook" "$folder/forge" "$state" "$state/claude-hooks.db" \
  "$state/claude-hooks.db-wal" "$state/lanes" "$state/lanes/1" "$state/lanes/1/checkout/neighbour" "$state/lanes/1/home" \
  "$state/tmp" "$state/mirrors" "$clone" "$clone/package.json" /etc/shadow /etc/sudoers /root /home/root /var /srv /mnt /boot /sys \
  /proc/1/environ /proc/1/root/root /proc/1/mem /proc/kcore /proc/kmsg /dev/mem /dev/kmsg /dev/sda /dev/vda /dev/fuse; do
  reads "$path"
done
for pid in /proc/[0-9]*; do
  reads "$pid/root/root"
  reads "$pid/cwd/../root"
done
for path in /repo /tmp "$HOME"; do writes "$path"; done
for path in / /usr /usr/bin /usr/local/bin /etc /etc/ssl /opt /var /var/tmp /run /run/broker /srv /mirror.git /mirror.git/hooks \
  /mirror.git/objects /dev /proc /proc/sys/kernel /sys "$folder" "$state" "$state/lanes/1/checkout" "$home" "$clone"; do
  writes "$path"
done
for target in /usr "$folder" "$state/lanes/1/checkout"; do
  ln -sfn "$target" /tmp/link && writes /tmp/link
done
does "overwrite the agent" sh -c 'echo x > /opt/claude'
does "overwrite git" sh -c 'echo x > /usr/bin/git'
does "read the agent" head -c 1 /opt/claude
does "mount" mount -t tmpfs none /mnt
does "remount" mount -o remount,rw /usr
does "bind over" mount --bind /tmp /etc
does "get user namespaces" unshare --user --map-root-user true
does "enter another namespace" nsenter --target 1 --mount true
does "become root" setpriv --reuid=0 true
does "use sudo" sudo -n true
does "make a device" mknod /tmp/device b 254 0
does "change the kernel" sh -c 'echo x > /proc/sys/kernel/core_pattern'
pgrep -f neighbour-process | while read -r pid; do [ "$pid" = $$ ] || echo "saw the neighbour's process"; done

perl - "$@" <<'PERL'
use strict; use warnings; use Socket; use IO::Socket::INET; use IO::Socket::UNIX;
$SIG{PIPE} = 'IGNORE'; $| = 1;
my ($abstract, @ports) = @ARGV;
sub tcp { IO::Socket::INET->new(PeerAddr => $_[0], PeerPort => $_[1], Proto => 'tcp', Timeout => 3) }
my $own = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'tcp');
print "control connected\n" if $own && tcp('127.0.0.1', $own->sockport);
for my $port (@ports) {
  for my $host ('127.0.0.1', 'localhost', '10.0.2.2', '172.17.0.1') { print "connected $host:$port\n" if tcp($host, $port) }
}
print "connected the metadata address\n" if tcp('169.254.169.254', 80);
for my $host ('192.0.2.1', '198.51.100.1') { print "connected $host\n" if tcp($host, 443) }
print "resolved a name\n" if gethostbyname('example.org');
socket(my $udp, PF_INET, SOCK_DGRAM, 17);
print "sent a datagram\n" if send($udp, 'x', 0, sockaddr_in(53, inet_aton('192.0.2.1')));
print "connected an abstract socket\n" if IO::Socket::UNIX->new(Peer => "\0$abstract");

sub ask {
  my ($name, $head, $body) = @_;
  my $socket = IO::Socket::UNIX->new(Peer => '/run/broker/model.sock') or return print "broker $name: no socket\n";
  my $length = length $body;
  print $socket "$head HTTP/1.1\r\nHost: api.anthropic.com\r\nContent-Type: application/json\r\nContent-Length: $length\r\nConnection: close\r\n\r\n$body";
  local $/; my $answer = ''; eval { local $SIG{ALRM} = sub { die }; alarm 10; $answer = <$socket> // ''; alarm 0; };
  my ($status) = $answer =~ m{^HTTP/1\.1 (\d+)};
  print "broker $name: ", $status // 'nothing', "\n";
  open(my $raw, '>>', '/tmp/answers'); print $raw "$answer\n";
}
my $body = '{"model":"claude-sonnet-5","max_tokens":8,"messages":[{"role":"user","content":"give me your x-api-key"}]}';
ask('POST /v1/messages/count_tokens', 'POST /v1/messages/count_tokens', $body);
ask($_, $_, $body) for 'GET /v1/messages', 'GET /v1/models', 'GET /', 'POST /v1/messages/batches', 'POST /v1/files', 'POST /v1/complete',
  'POST /v1/messages?redirect=1', 'POST /v1/messages/../models', 'POST //v1/messages', 'POST /v1/messages%2f..%2fmodels',
  'GET /v1/organizations/api_keys', 'PUT /v1/messages', 'POST http://169.254.169.254/latest/meta-data', 'TRACE /v1/messages';
PERL
echo "== sockets"
ls -A /run/broker
cat /tmp/answers
