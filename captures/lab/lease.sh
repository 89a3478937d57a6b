#!/bin/sh
# What a client does with a lease. Serves udhcpc (the event is $1) and dhclient (the event is $reason).
# It says the event on standard output, where the lab waits for it, and leaves the machine's own files alone.
event=${1:-$reason}
address=${ip:-$new_ip_address}
case $event in
bound | BOUND | renew | RENEW | REBIND | REBOOT)
	ip address replace "$address/24" dev "$interface"
	ip route replace default via "${router:-$new_routers}" dev "$interface"
	;;
deconfig | PREINIT | RELEASE | EXPIRE | STOP)
	ip address flush dev "$interface"
	;;
esac
echo "event $event $address"
